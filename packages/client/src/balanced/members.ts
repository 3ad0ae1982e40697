import {
  type BalanceSettings,
  type Caller,
  composedPolicy,
  type Endpoint,
  Fault,
  type Instance,
  type InstanceOutcomes,
  type InstanceSet,
  LocalBalancer,
  type Milliseconds,
  type OutlierSettings,
  type PickContext,
  type Resolver,
  type ServiceName,
  serviceKey,
  type View,
} from '@portolan/core'
import type { Cancel, LocalRuntime } from '../runtime.ts'
import type { End } from './exchange.ts'

/** The members of one service as this process picks them: the registry's set and what our own requests learned. */
export interface Members {
  /** False until a registry has said anything about the service. */
  readonly known: boolean
  /** @throws Fault `no_instance_available` */
  pick(context: PickContext | undefined): Endpoint
  /** Ends one pick, exactly once. Policies that learn do so from `ms`; below 0 = nobody measured. */
  ended(endpoint: Endpoint, end: End, status?: number, ms?: Milliseconds): void
  /** The endpoints of instances that a caller has tried. */
  endpointsOf(instances: readonly Instance[]): Endpoint[]
  /** @throws Fault `no_instance_available` when no registry says anything in time, `signal`'s reason when it aborts */
  whenKnown(signal: AbortSignal | undefined): Promise<void>
  close(): void
}

export interface MembersOptions {
  readonly name: ServiceName
  readonly balance: BalanceSettings
  readonly caller: Caller
  readonly outliers: Partial<OutlierSettings>
  /** How long {@link Members.whenKnown} waits. */
  readonly firstSetMs: Milliseconds
  /** Told of every set, after pickers use it. */
  readonly onSet: (set: InstanceSet) => void
}

/** How often peers are compared and the registry is told, while there are calls. */
const beatMs: Milliseconds = 1000

export function openMembers(resolver: Resolver, options: MembersOptions, runtime: LocalRuntime): Members {
  const { clock, random, timers } = runtime
  const { namespace, service } = options.name
  const waiting = new Set<() => void>()
  let newest: InstanceSet | undefined
  let closed = false
  /** Beats while there are calls; idle services cost nothing. */
  let beating = false
  let beganAt: Milliseconds = 0
  let stopBeat: Cancel = () => {}
  let stopRelease: Cancel = () => {}

  const report = (outcomes: readonly InstanceOutcomes[]) =>
    resolver.report(options.name, { overMs: clock.now() - beganAt, outcomes })

  const balancer = new LocalBalancer({
    policy: composedPolicy(options.balance, options.caller),
    random,
    clock,
    outliers: options.outliers,
    suspect: outcomes => report([outcomes]),
    onIdle: ({ id }) => resolver.idle({ namespace, service, id }),
  })

  const beatLater = () => {
    if (beating || closed) return
    beating = true
    beganAt = clock.now()
    // Jittered, so that the many copies of a caller do not report in chorus.
    stopBeat = timers.after(beatMs * (0.9 + 0.2 * random()), beat, 'background')
  }

  const beat = () => {
    beating = false
    balancer.sweep()
    const outcomes = balancer.untold()
    if (outcomes.length > 0) {
      report(outcomes)
      beatLater()
    }
    releaseLater()
  }

  const releaseLater = () => {
    stopRelease()
    const at = balancer.nextRelease
    if (at === undefined || closed) return
    const release = () => {
      balancer.release()
      releaseLater()
    }
    stopRelease = timers.after(Math.max(1, at - clock.now()), release, 'background')
  }

  const receive = ({ set }: View) => {
    // Becoming stale, or fresh again without news, changes no pick.
    if (set === newest) return
    newest = set
    balancer.update(set)
    releaseLater()
    options.onSet(set)
    for (const go of [...waiting]) go()
  }
  const unsubscribe = resolver.subscribe(options.name, {
    receive,
    inFlight: instance => balancer.inFlight(instance),
  })

  return {
    get known() {
      return newest !== undefined
    },
    pick(context) {
      const endpoint = balancer.pick(context)
      if (endpoint !== undefined) return endpoint
      throw newest === undefined ? unheardOf(options.name) : nobody(options.name, newest)
    },
    ended(endpoint, end, status = 0, ms = -1) {
      if (!beating) beatLater()
      if (end === 'success') return balancer.succeeded(endpoint, ms)
      if (end === 'cancelled') return balancer.cancelled(endpoint)
      if (end === 'pushback') return balancer.pushedBack(endpoint)
      balancer.failed(endpoint, end, status)
      releaseLater()
    },
    endpointsOf(instances) {
      const ids = new Set(instances.map(({ id }) => id))
      return balancer.endpoints.filter(({ id }) => ids.has(id))
    },
    whenKnown(signal) {
      if (newest !== undefined) return Promise.resolve()
      if (signal?.aborted) return Promise.reject(signal.reason)
      return new Promise((resolve, reject) => {
        const stop = () => {
          cancel()
          waiting.delete(go)
          signal?.removeEventListener('abort', abort)
        }
        const go = () => {
          stop()
          if (closed) reject(unheardOf(options.name))
          else resolve()
        }
        const abort = () => {
          stop()
          reject(signal?.reason)
        }
        const cancel = timers.after(options.firstSetMs, () => {
          stop()
          reject(unheardOf(options.name))
        })
        waiting.add(go)
        signal?.addEventListener('abort', abort, { once: true })
      })
    },
    close() {
      closed = true
      unsubscribe()
      stopBeat()
      stopRelease()
      for (const go of [...waiting]) go()
    },
  }
}

function unheardOf(name: ServiceName): Fault {
  return new Fault('no_instance_available', `no registry has said yet who serves ${serviceKey(name)}`, {
    source: 'upstream',
    retryable: true,
    hint: 'wait for the first set: fetch() does, or read one from watch()',
  })
}

function nobody(name: ServiceName, set: InstanceSet): Fault {
  const count = set.instances.length
  const which = count === 0 ? 'has no instance' : `has ${count} instances, and none may take traffic`
  return new Fault('no_instance_available', `${serviceKey(name)} ${which}`, {
    source: 'upstream',
    retryable: true,
    hint: `\`portolan instances ${serviceKey(name)}\` says who is there and why not`,
  })
}
