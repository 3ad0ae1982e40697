import {
  type Clock,
  Fault,
  type InstanceName,
  type Prober,
  type Random,
  toFault,
  withCause,
} from '@portolan/core'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { Log } from '../observe/log.ts'
import type { Store } from '../store/store.ts'
import { checkIncarnation, checkOwner, notFound } from './access-rules.ts'
import { ServiceCatalogue } from './catalogue.ts'
import { Departures } from './departures.ts'
import { lift } from './disconnected.ts'
import { drain, drainOwner } from './drain.ts'
import { Follower } from './follower.ts'
import { CauseJournal } from './journal.ts'
import { judged } from './judged.ts'
import { LeaseWatch } from './lease-watch.ts'
import { limits } from './limits.ts'
import { Liveness } from './liveness.ts'
import { type Loop, openRegistryMetrics } from './metrics.ts'
import { Observers } from './observers.ts'
import { overrideRecord, storeOverride } from './overrides.ts'
import { warnOfPriorities } from './priorities.ts'
import type { InstanceRecord } from './records.ts'
import { Registrar } from './registrar.ts'
import type { Principal, Registry } from './registry.ts'
import { Sessions } from './sessions.ts'
import { defaultSettings, type RegistrySettings } from './settings.ts'
import { causesOf, incarnationOf, type Slot } from './slot.ts'
import { RegistryState } from './state.ts'
import { realTimers, type Timers } from './timers.ts'
import { Views } from './views.ts'

export interface RegistryParts {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  /** Looks whether an instance is there whose session closed, or that was restored. */
  readonly prober: Prober
  readonly log: Log
  readonly metrics: MetricsRegistry
  /** Whatever differs from `defaultSettings`. */
  readonly settings?: Partial<RegistrySettings>
  readonly timers?: Timers
}

/**
 * Opens the registry over a store. When it resolves, everything that the store holds is there; what was registered
 * before carries `disconnected` until somebody has heard of it. `close` leaves the store open: its opener closes it.
 * @throws Fault `store_failed`
 */
export async function openRegistry(parts: RegistryParts): Promise<Registry> {
  const { store, clock, random, prober, log } = parts
  const timers = parts.timers ?? realTimers
  const settings = { ...defaultSettings, ...parts.settings }
  const self = `run-${Math.floor(random() * 2 ** 48).toString(36)}`

  const counts = () => {
    const sum = { services: 0, instances: 0, healthy: 0 }
    for (const { size, healthy } of state.services.values()) {
      sum.services += Number(size > 0)
      sum.instances += size
      sum.healthy += healthy
    }
    return sum
  }
  const metrics = openRegistryMetrics(parts.metrics, counts)
  const onFault = (loop: Loop, fault: Fault): void => {
    metrics.errors.inc({ loop })
    metrics.lastErrorSeconds.set({ loop }, Date.parse(timers.timeOfDay()) / 1000)
    log.error({ loop, code: fault.code, err: fault }, 'the registry met a failure')
  }

  const observers = new Observers()
  const views = new Views({
    clock,
    timers,
    metrics,
    resumeMs: settings.leaseMs,
    onFault: fault => onFault('push', fault),
  })
  const catalogue = new ServiceCatalogue({
    clock,
    timers,
    remembering: settings,
    onFault: fault => onFault('push', fault),
  })
  const reading = await store.read('')
  const state: RegistryState = new RegistryState(reading.cursor, {
    touched(service, urgent) {
      views.touched(service, urgent)
      catalogue.touched(service)
    },
    isWatched: service => views.isWatched(service),
    changed: slot => observers.changed(slot),
    departed: (slot, reason) => {
      observers.happened(slot.name, 'registry', `removed: ${reason}`)
      leases.forget(slot)
      metrics.removals.inc({ reason })
    },
  })
  const pause = () => new Promise<void>(resolve => timers.after(100, resolve))
  const follower = new Follower({ store, state, pause, onFault: fault => onFault('follow', fault) })
  const reached = (revision: number) => follower.reached(revision)
  const catchUp = (key: string) => follower.catchUp(key)

  const sessions = new Sessions(self, metrics.sessions)
  const journal = new CauseJournal({
    store,
    state,
    reached,
    catchUp,
    pause,
    onFault: fault => onFault('causes', fault),
  })
  const departures = new Departures({ store, state, reached, catchUp })
  const happened = (name: InstanceName, by: string, what: string) => observers.happened(name, by, what)
  const leases = new LeaseWatch({
    clock,
    timers,
    state,
    sessions,
    departures,
    prober,
    settings,
    metrics,
    log,
    happened,
    proved: (slot, result) => liveness.proved(slot, result),
    onFault,
  })
  const liveness: Liveness = new Liveness({
    state,
    sessions,
    leases,
    journal,
    departures,
    prober,
    timers,
    happened,
    onFault,
  })
  const timeOfDay = () => timers.timeOfDay()
  const registrar = new Registrar({ store, state, sessions, settings, self, timeOfDay, reached, catchUp })

  const close = async (): Promise<void> => {
    leases.close()
    liveness.close()
    await journal.idle()
    await follower.close()
    views.close()
    catalogue.close()
  }
  state.load(reading)
  warnOfPriorities(state.slots(), log)
  leases.start()
  follower.start()
  try {
    await journal.sweep()
    await liveness.restored([...state.slots()].filter(isRestored))
  } catch (thrown) {
    await close()
    throw thrown
  }

  /** Drains that are waited for. */
  const waiting = new WeakMap<Slot, number>()
  const drains = {
    ...{ state, journal, views, clock, timers, metrics, log },
    returnedAt: clock.now() + settings.returnMs,
    startedFrom: reading.cursor.revision,
  }

  /** @throws Fault `instance_not_found` */
  const present = (name: InstanceName): { slot: Slot; record: InstanceRecord } => {
    const slot = state.slot(name)
    const record = slot?.record.value
    if (slot === undefined || record === undefined) throw notFound(name)
    return { slot, record }
  }
  const presentFor = (name: InstanceName, principal: Principal) => {
    const found = present(name)
    checkOwner(name, found.record, principal)
    return found
  }

  return {
    async register(request) {
      try {
        const registered = await registrar.register(request)
        const slot = state.slot(request.registration)
        metrics.registrations.inc({ result: 'ok' })
        // It may have left again while its registration was on the way.
        if (slot?.record.value?.instance.incarnation !== registered.incarnation) return registered
        const isOpen = request.session === undefined || sessions.stateOf(request.session) !== undefined
        if (isOpen) await liveness.heard(slot)
        else liveness.lost(slot, request.session ?? '', false)
        return registered
      } catch (thrown) {
        metrics.registrations.inc({ result: toFault(thrown).code })
        throw thrown
      }
    },

    renew(name, principal, incarnation) {
      const { slot, record } = presentFor(name, principal)
      checkIncarnation(name, record, incarnation)
      liveness.heard(slot).catch((thrown: unknown) => onFault('causes', toFault(thrown)))
    },

    async deregister(name, principal, options = {}) {
      const { incarnation, reason = 'goodbye' } = options
      if (reason === 'exited') views.ended(principal.name)
      const slot = state.slot(name)
      const record = slot?.record.value
      if (slot === undefined || record === undefined) {
        // A goodbye of a known run comes late; one of no run in particular asks for what is not there.
        if (incarnation !== undefined) return
        throw notFound(name)
      }
      if (incarnation !== undefined && incarnation < record.instance.incarnation) return
      checkOwner(name, record, principal)
      await departures.remove([{ slot, incarnation: record.instance.incarnation, reason }])
    },

    async override(name, principal, override) {
      const { slot } = presentFor(name, principal)
      const next = overrideRecord(override, slot.override.value, principal.name, timers.timeOfDay())
      await storeOverride({ store, reached, catchUp }, state.service(name), slot, next)
      const { instance } = present(name).slot
      if (instance === undefined) throw notFound(name)
      return instance
    },

    async drain(name, principal, graceMs) {
      const { slot } = presentFor(name, principal)
      const others = waiting.get(slot) ?? 0
      if (others >= limits.drains) throw tooMany(name, `is waited for by ${others} drains`)
      waiting.set(slot, others + 1)
      try {
        return await drain(drains, name, principal.name, graceMs)
      } finally {
        waiting.set(slot, (waiting.get(slot) ?? 1) - 1)
      }
    },

    async undrain(name, principal) {
      presentFor(name, principal)
      await journal.edit(name, lift('draining', drainOwner))
      const { instance } = present(name).slot
      if (instance === undefined) throw notFound(name)
      return instance
    },

    async report(name, { kind, owner, reason }) {
      const { slot } = present(name)
      if (reason === undefined) return journal.edit(name, lift(kind, owner))
      if (causesOf(slot).length >= limits.causes) throw tooMany(name, `has ${limits.causes} causes already`)
      const cause = { kind, owner, reason: reason.slice(0, limits.reason), since: timers.timeOfDay() }
      await journal.edit(name, causes => withCause(causes, cause))
    },

    async judge(name, verdict) {
      await journal.change(name, judged(verdict, timers.timeOfDay()))
    },
    proved(name, incarnation, result) {
      const slot = state.slot(name)
      if (slot === undefined || incarnationOf(slot) !== incarnation) return
      liveness.proved(slot, result)
    },
    observe: observer => observers.add(observer, state.slots()),

    watchServices: receive => catalogue.watch(receive),
    declareServices: names => catalogue.declare(names),
    services: () =>
      [...state.services.values()]
        .filter(({ size }) => size > 0)
        .map(({ name, size, healthy }) => ({ name, instances: size, healthy })),
    view: service => state.set(service),
    find: name => state.slot(name)?.instance,
    subscribe: (service, from, subscriber, picks) =>
      views.subscribe(state, service, subscriber, { from, picks }),
    get cursor() {
      return state.cursor
    },

    sessionOpened: session => liveness.opened(session),
    sessionSilent: session => liveness.silent(session),
    sessionAnswered: session => liveness.answered(session),
    sessionClosed: session => liveness.closed(session),

    close,
  }
}

/** Static members are as the config file says, whether somebody has heard of them or not. */
function isRestored({ record }: Slot): boolean {
  return record.value !== undefined && record.value.held.static !== true
}

function tooMany(name: InstanceName, what: string): Fault {
  return new Fault('too_many', `${name.id} ${what}`, { source: 'caller' })
}
