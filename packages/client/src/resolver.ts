import {
  applyLeaves,
  applyMessage,
  type Catalogue,
  type DeltaMessage,
  defaultNamespace,
  Fault,
  formatCursor,
  type Instance,
  isDraining,
  markFresh,
  markStale,
  nextLeave,
  type PickingSubscriber,
  type RateClaimant,
  type RateDemand,
  type Resolver,
  type RouteTable,
  receiverOf,
  type ServiceName,
  type ServiceView,
  type SnapshotMessage,
  toFault,
  type Unsubscribe,
  unknownView,
  type View,
} from '@portolan/core'
import { sessionCatalogue } from './catalogue.ts'
import { openComparisons } from './comparisons.ts'
import type { Cancel, LocalRuntime } from './runtime.ts'
import type { Link } from './session/link.ts'
import { paced } from './session/paced.ts'
import type { Session } from './session/session.ts'

/** A {@link Resolver} over a session. The library and the standalone gateway use the same one. */
export interface SessionResolver extends Resolver, Catalogue {
  /** The gateway's routes: at once when they are known, then at every change. */
  watchRoutes(receive: (table: RouteTable) => void): Unsubscribe
  /** Ends every subscription, without a word to the registry. */
  close(): void
}

/** One service that somebody subscribed to, and what the registry said of it last. */
interface Subscription {
  readonly name: ServiceName
  readonly receivers: Set<PickingSubscriber>
  view: ServiceView
  /** The cursor that this connection's registry knows us to pick by. */
  acknowledged: string
  /** Draining instances by id that this connection's registry knows us to be idle towards, as they were then. */
  readonly idle: Map<string, Instance>
  stopLeave: Cancel
  stopRetry: Cancel
}

/** Questions for whole sets that are on the way at a time: ten thousand at once would wait for each other past their time. */
const watchesAtOnce = 256
/** After a refusal (no right to read, say) the question is asked again at this pace. */
const refusedMs = 5000

/** Registries take frames of a megabyte. */
const outcomesAFrame = 2000

/** Subscribes once per service, whoever asks; resumes from its cursor; keeps serving the last set, marked stale. */
export function sessionResolver(
  session: Session,
  onFault: (fault: Fault) => void,
  runtime: LocalRuntime,
): SessionResolver {
  const { clock, random, timers } = runtime
  const pace = paced(watchesAtOnce)
  const catalogue = sessionCatalogue(session, onFault, runtime)
  const comparisons = openComparisons(runtime, onFault)
  const subscriptions = new Map<string, Subscription>()
  const routeReceivers = new Set<(table: RouteTable) => void>()
  const claims = new Map<string, { readonly name: ServiceName; readonly claimant: RateClaimant }>()
  let routes: RouteTable | undefined
  let closed = false

  const tell = (deliver: () => void) => {
    try {
      deliver()
    } catch (thrown) {
      // A receiver's error is its own: it must cost neither the other receivers nor the connection.
      onFault(receiverFailed(thrown))
    }
  }

  const isCurrent = (subscription: Subscription, link: Link) =>
    !closed && session.link === link && subscriptions.get(keyOf(subscription.name)) === subscription

  const show = (subscription: Subscription, view: ServiceView) => {
    if (view === subscription.view) return
    subscription.view = view
    leaveLater(subscription)
    if (isKnown(view)) for (const { receive } of [...subscription.receivers]) tell(() => receive(view))
    acknowledge(subscription)
  }

  /** Armed again by every change, and when the timer fired before its time, as timers may by a millisecond. */
  const leaveLater = (subscription: Subscription) => {
    subscription.stopLeave()
    const at = nextLeave(subscription.view)
    if (at === undefined) return
    const leave = () => {
      const next = applyLeaves(subscription.view, clock.now())
      if (next === subscription.view) leaveLater(subscription)
      else show(subscription, next)
    }
    subscription.stopLeave = timers.after(Math.max(1, at - clock.now()), leave, 'background')
  }

  /** Only after the receivers have returned: from here on, nobody picks by an older set. */
  const acknowledge = (subscription: Subscription) => {
    const { name, view } = subscription
    const cursor = formatCursor(view.set.cursor)
    if (view.stale || cursor === subscription.acknowledged || !isKnown(view)) return
    subscription.acknowledged = cursor
    session.link?.send({ type: 'ack', ...name, cursor })
    const draining = view.set.instances.filter(isDraining)
    const ids = new Set(draining.map(({ id }) => id))
    for (const id of subscription.idle.keys()) if (!ids.has(id)) subscription.idle.delete(id)
    for (const instance of draining) sayIdle(subscription, instance)
  }

  /**
   * When no receiver has a request under way to it, and only after the `ack` of a set in which it drains. Once until
   * the registry says something new of the instance: others come and go, and who fails open to a draining instance
   * becomes idle over and over.
   */
  const sayIdle = ({ name, view, receivers, idle }: Subscription, instance: Instance) => {
    const { id, incarnation } = instance
    if (view.stale || idle.get(id) === instance) return
    for (const receiver of receivers) if (receiver.inFlight({ id, incarnation }) > 0) return
    idle.set(id, instance)
    session.link?.send({ type: 'idle', ...name, id, incarnation })
  }

  const sayIdleLater = (subscription: Subscription, which: (instance: Instance) => boolean) => {
    const { view } = subscription
    if (formatCursor(view.set.cursor) !== subscription.acknowledged) return
    for (const instance of view.set.instances) {
      if (isDraining(instance) && which(instance)) sayIdle(subscription, instance)
    }
  }

  /** Nothing that was said over the connection before counts over this one. */
  const begin = (subscription: Subscription, link: Link): void => {
    subscription.acknowledged = ''
    subscription.idle.clear()
    pace(() => watch(subscription, link))
  }

  const watch = async (subscription: Subscription, link: Link): Promise<void> => {
    // It may have waited for others.
    if (!isCurrent(subscription, link)) return
    const { name, view } = subscription
    try {
      const from = isKnown(view) ? { from: formatCursor(view.set.cursor) } : {}
      await link.request({ type: 'watch', ...name, ...from })
      if (!isCurrent(subscription, link)) return
      show(subscription, markFresh(subscription.view, clock.now()))
      comparisons.begin(subscription, link)
    } catch (thrown) {
      if (!isCurrent(subscription, link)) return
      onFault(toFault(thrown))
      const retry = () => begin(subscription, link)
      subscription.stopRetry = timers.after(refusedMs * (1 + random()), retry, 'background')
    }
  }

  const apply = (message: SnapshotMessage | DeltaMessage) => {
    const subscription = subscriptions.get(keyOf(message))
    if (subscription === undefined) return
    show(subscription, applyMessage(subscription.view, message, clock.now()))
  }

  const askForRoutes = (link: Link) => {
    link.request({ type: 'watch-routes' }).catch(thrown => {
      if (session.link === link) onFault(toFault(thrown))
    })
  }

  const demand = (name: ServiceName, said: RateDemand) => {
    session.link?.send({ type: 'demand', namespace: name.namespace, service: name.service, ...said })
  }

  const leave = (subscription: Subscription) => {
    subscriptions.delete(keyOf(subscription.name))
    subscription.stopLeave()
    subscription.stopRetry()
    comparisons.end(subscription)
    session.link?.request({ type: 'unwatch', ...subscription.name }).catch(() => {
      // The connection is over, and the watch with it.
    })
  }

  session.attach({
    up(link) {
      for (const subscription of subscriptions.values()) begin(subscription, link)
      if (routeReceivers.size > 0) askForRoutes(link)
      for (const { name, claimant } of claims.values()) demand(name, claimant.demand())
    },
    receive(message) {
      if (message.type === 'snapshot' || message.type === 'delta') return apply(message)
      if (message.type === 'share') {
        const { qps, burst, tokens } = message
        const share = { qps, burst, ...(tokens === undefined ? {} : { tokens }) }
        tell(() => claims.get(keyOf(message))?.claimant.receive(share))
        return
      }
      if (message.type !== 'routes') return
      routes = message.table
      for (const receive of [...routeReceivers]) tell(() => receive(message.table))
    },
    down() {
      comparisons.clear()
      for (const subscription of subscriptions.values()) {
        subscription.stopRetry()
        show(subscription, markStale(subscription.view))
      }
    },
  })

  return {
    subscribe(service, subscriber) {
      if (closed) return () => {}
      const name = { namespace: service.namespace, service: service.service }
      const known = subscriptions.get(keyOf(name))
      const subscription = known ?? newSubscription(name)
      const receive = receiverOf(subscriber)
      const own: PickingSubscriber = {
        receive,
        inFlight: instance => (typeof subscriber === 'function' ? 0 : subscriber.inFlight(instance)),
      }
      subscription.receivers.add(own)
      if (known === undefined) {
        subscriptions.set(keyOf(name), subscription)
        if (session.link !== undefined) begin(subscription, session.link)
      } else if (isKnown(known.view)) tell(() => receive(known.view))
      return () => {
        if (!subscription.receivers.delete(own)) return
        if (subscription.receivers.size === 0) leave(subscription)
        else sayIdleLater(subscription, () => true)
      }
    },
    idle({ id, ...service }) {
      const subscription = subscriptions.get(keyOf(service))
      if (subscription !== undefined) sayIdleLater(subscription, instance => instance.id === id)
    },
    report({ namespace, service }, { outcomes, cpuMs, overMs }) {
      for (let from = 0; from < outcomes.length; from += outcomesAFrame) {
        session.link?.send({
          type: 'report',
          namespace,
          service,
          overMs,
          ...(cpuMs === undefined || from > 0 ? {} : { cpuMs }),
          outcomes: outcomes.slice(from, from + outcomesAFrame),
        })
      }
    },
    claim(service, claimant) {
      const name = { namespace: service.namespace, service: service.service }
      const claim = { name, claimant }
      claims.set(keyOf(name), claim)
      demand(name, claimant.demand())
      return {
        tell: said => demand(name, said),
        end() {
          if (claims.get(keyOf(name)) === claim) claims.delete(keyOf(name))
        },
      }
    },
    watchRoutes(receive) {
      const own = (table: RouteTable) => receive(table)
      routeReceivers.add(own)
      if (routes !== undefined) own(routes)
      if (routeReceivers.size === 1 && session.link !== undefined) askForRoutes(session.link)
      return () => routeReceivers.delete(own)
    },
    watchServices: catalogue.watchServices,
    close() {
      closed = true
      catalogue.close()
      comparisons.clear()
      for (const { stopLeave, stopRetry } of subscriptions.values()) {
        stopLeave()
        stopRetry()
      }
      subscriptions.clear()
      routeReceivers.clear()
      claims.clear()
    },
  }
}

function newSubscription(name: ServiceName): Subscription {
  return {
    name,
    receivers: new Set(),
    view: unknownView(name),
    acknowledged: '',
    idle: new Map(),
    stopLeave: () => {},
    stopRetry: () => {},
  }
}

/** Whether a registry has ever said anything about the service. */
function isKnown(view: View): boolean {
  return view.set.cursor.epoch !== ''
}

function keyOf(name: { readonly namespace?: string; readonly service: string }): string {
  return `${name.namespace ?? defaultNamespace}/${name.service}`
}

function receiverFailed(thrown: unknown): Fault {
  return new Fault('internal', 'a receiver of instance sets threw', { source: 'internal', cause: thrown })
}
