import { setImmediate } from 'node:timers/promises'
import {
  type Cursor,
  Fault,
  formatCursor,
  type HeldView,
  type InstanceName,
  parseCursor,
  type ServiceName,
} from '@portolan/core'
import { toBeTested } from '../../health/to-be-tested.ts'
import { authorize } from '../../registry/access/access.ts'
import { allowsSome, onInstance, onService } from '../../registry/access/grants.ts'
import { takesTraffic } from '../../registry/drain.ts'
import { parseChecks } from '../../registry/registered-checks.ts'
import { parseRegistration } from '../../registry/registration.ts'
import type { ViewChange } from '../../registry/registry.ts'
import type { ApiContext } from '../context.ts'
import { checkRemovable, checkUndeclared } from '../guard/read-only.ts'
import { readRoutes } from '../http/config.ts'
import { reportOf, takeStatus } from '../status.ts'
import { watchCatalogue } from './catalogue.ts'
import { CatalogueFrames } from './catalogue-frames.ts'
import { Doubts } from './doubts.ts'
import type { Request, RequestOf } from './requests.ts'
import type { Roster } from './roster.ts'
import { instanceKey, maxUnsent, type Session, watchKey } from './session.ts'
import type { Shares } from './shares.ts'
import { viewFrame } from './view-frames.ts'

type Answering = {
  readonly [Type in Exclude<Request['type'], 'hello'>]: (
    session: Session,
    request: RequestOf<Type>,
  ) => Promise<void> | void
}

/** Does what a session asks. Throws, or rejects with, a `Fault`, which becomes its `failed`. */
export type Converse = (
  session: Session,
  request: Exclude<Request, { type: 'hello' }>,
) => Promise<void> | void

export function openConversation(context: ApiContext, roster: Roster, shares: Shares): Converse {
  const { registry, access, health, routes, declaredAt, guardTargets, limits, clock, log } = context

  const doubts = new Doubts(clock)
  const frames = new CatalogueFrames()

  const answering: Answering = {
    async register(session, { seq, instance }) {
      const { address } = session
      const registration = parseRegistration(instance, address === undefined ? {} : { address })
      const principal = permit(session, 'register', registration)
      checkUndeclared(declaredAt, registration)
      const checks = parseChecks(instance, registration)
      guardTargets(registration, checks)
      const key = instanceKey(registration)
      const isNew = !session.held.has(key)
      if (isNew && session.held.size >= limits.instances) throw tooMany('instances', limits.instances)
      const { namespace, service, id } = registration
      const name = { namespace, service, id }
      // It counts from now on, so that a burst stays within the limit, too.
      session.held.set(key, name)
      try {
        const wanted = {
          registration,
          principal,
          source: 'session',
          // An agent and the program that it supervises hold the same instance side by side.
          tether: session.kind === 'agent' ? 'process' : 'session',
          session: session.id,
          ...(checks === undefined ? {} : { checks }),
        } as const
        const { incarnation, cursor } = await registry.register(toBeTested(health, wanted))
        roster.hold(session, name)
        session.send({ type: 'done', seq, incarnation, cursor: formatCursor(cursor) })
      } catch (thrown) {
        if (isNew) roster.letGo(session, name)
        throw thrown
      }
    },

    async deregister(session, { seq, incarnation, ...rest }) {
      const name = nameOf(rest)
      const principal = permit(session, 'register', name)
      checkRemovable(declaredAt, name, registry.find(name))
      await registry.deregister(name, principal, { incarnation })
      roster.letGo(session, name)
      session.send({ type: 'done', seq })
    },

    renew(session, { seq, incarnation, ...rest }) {
      const name = nameOf(rest)
      registry.renew(name, permit(session, 'register', name), incarnation)
      session.send({ type: 'done', seq })
    },

    async drain(session, { seq, graceMs, ...rest }) {
      const name = nameOf(rest)
      const drained = registry.drain(name, permit(session, 'register', name), graceMs).then(acknowledged => {
        if (takesTraffic(registry.find(name))) return
        const holder = roster.mayStop(name, acknowledged)
        if (holder !== session) session.send({ type: 'may-stop', ...name, acknowledged })
      })
      // What is wrong with the request itself shows before the first wait inside `drain`.
      await Promise.race([drained, setImmediate()])
      session.send({ type: 'done', seq })
      drained.catch(thrown => log.warn({ err: thrown, instance: name }, 'session: a drain failed'))
    },

    watch(session, { seq, from, ...rest }) {
      const service = serviceOf(rest)
      authorize(access.authenticate(session.secret), onService('read', service))
      const isNew = !session.watches.has(watchKey(service))
      const most = session.kind === 'proxy' ? limits.proxySubscriptions : limits.subscriptions
      if (isNew && session.watches.size >= most) throw tooMany('watches', most)
      watch(session, service, from)
      session.send({ type: 'done', seq })
    },

    unwatch(session, { seq, ...rest }) {
      const key = watchKey(serviceOf(rest))
      session.watches.get(key)?.close()
      session.watches.delete(key)
      session.send({ type: 'done', seq })
    },

    'watch-routes'(session, { seq }) {
      authorize(access.authenticate(session.secret), readRoutes)
      session.stopRoutes?.()
      session.stopRoutes = routes.subscribe(table => session.send({ type: 'routes', table }))
      session.send({ type: 'routes', table: routes.table })
      session.send({ type: 'done', seq })
    },

    'watch-services'(session, { seq }) {
      const { grants, name } = access.authenticate(session.secret)
      if (!allowsSome(grants, 'read')) throw readsNothing(name)
      session.catalogue?.close()
      session.catalogue = watchCatalogue(session, registry, access, frames)
      session.send({ type: 'done', seq })
    },

    ack(session, { cursor, ...rest }) {
      session.watches.get(watchKey(serviceOf(rest)))?.acknowledge(parseCursor(cursor))
    },

    idle(session, { id, incarnation, ...rest }) {
      session.watches.get(watchKey(serviceOf(rest)))?.idle(id, incarnation)
    },

    report(session, { overMs, cpuMs, outcomes, ...rest }) {
      const service = serviceOf(rest)
      // Only who watches a service has been let read it, and can have met its instances.
      if (!session.watches.has(watchKey(service))) return
      const heard = doubts.allow(session, outcomes)
      const report = { overMs, outcomes: heard, ...(cpuMs === undefined ? {} : { cpuMs }) }
      health?.reported(session.name, service, report)
    },

    demand(session, { type: _, namespace, service, ...said }) {
      // Limits are read with the routes: who may not read those does not share in them.
      if (session.stopRoutes === undefined) return
      shares.hear(session, { namespace, service }, said)
    },

    status(session, { seq, incarnation, ...rest }) {
      const name = nameOf(rest)
      // Which also is where it is refused to speak for another's instance, or for a run that is over.
      registry.renew(name, permit(session, 'register', name), incarnation)
      takeStatus(context, name, incarnation, reportOf(rest))
      session.send({ type: 'done', seq })
    },

    compare(session, { seq, cursor, count, ...rest }) {
      const service = serviceOf(rest)
      if (!session.watches.has(watchKey(service))) throw notWatched(service)
      const at = compare(session, service, { cursor, count })
      session.send({ type: 'done', seq, cursor: formatCursor(at) })
    },

    'compare-all'(session, { seq, views }) {
      const faults: unknown[] = []
      for (const view of views) {
        const service = serviceOf(view)
        // Its watch may have ended since it was written down: no reason to leave the others uncompared.
        if (!session.watches.has(watchKey(service))) continue
        // One who does not take what it is sent is mended by a later comparison.
        if (session.unsent > maxUnsent) break
        try {
          compare(session, service, view)
        } catch (thrown) {
          faults.push(thrown)
        }
      }
      if (faults.length > 0) throw faults[0]
      session.send({ type: 'done', seq })
    },
  }

  /** Sends what mends a view that differs from ours. Returns up to where ours goes. */
  function compare(session: Session, service: ServiceName, view: Pick<HeldView, 'cursor' | 'count'>): Cursor {
    const set = registry.view(service)
    const held = parseCursor(view.cursor)
    const isBehind = held.epoch === set.cursor.epoch && held.revision < set.cursor.revision
    const equal = formatCursor(set.cursor) === view.cursor && set.instances.length === view.count
    // A new subscription, not a step beside the old one: so nothing older can follow. Who is merely behind is told
    // what it lacks with the reasons; after a bare snapshot, who died would be taken for lost and leave in steps.
    if (isBehind) watch(session, service, view.cursor)
    else if (!equal) watch(session, service, undefined)
    return set.cursor
  }

  function permit(session: Session, verb: 'register', name: InstanceName) {
    return authorize(access.authenticate(session.secret), onInstance(verb, name))
  }

  function watch(session: Session, service: ServiceName, from: string | undefined): void {
    const key = watchKey(service)
    const before = session.watches.get(key)
    const start = from === undefined ? undefined : parseCursor(from)
    // Agents look on; those that pick are waited for by drains from their first set on.
    const picks =
      session.kind === 'agent'
        ? undefined
        : { who: session.id, owner: session.identity.name, name: session.name }
    const receive = (change: ViewChange): boolean => session.push(viewFrame(change))
    session.watches.set(key, registry.subscribe(service, start, receive, picks))
    // Not earlier: a drain would take the gap for a subscriber that has gone.
    before?.close()
  }

  return (session, request) => {
    const answer = answering[request.type] as (session: Session, request: Request) => Promise<void> | void
    return answer(session, request)
  }
}

function nameOf({ namespace, service, id }: InstanceName): InstanceName {
  return { namespace, service, id }
}

function serviceOf({ namespace, service }: ServiceName): ServiceName {
  return { namespace, service }
}

function readsNothing(name: string): Fault {
  return new Fault('forbidden', `${name} may read no service`, {
    source: 'caller',
    hint: 'a token with the verb read is needed',
  })
}

function tooMany(what: string, limit: number): Fault {
  return new Fault('too_many', `a session has at most ${limit} ${what}`, {
    source: 'caller',
    hint: 'open another session',
  })
}

function notWatched({ service }: ServiceName): Fault {
  return new Fault('invalid_request', `this session does not watch ${service}`, {
    source: 'caller',
    hint: 'send watch first',
  })
}
