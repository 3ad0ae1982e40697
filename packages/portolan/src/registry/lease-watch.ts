import { setMaxListeners } from 'node:events'
import { type Clock, type Fault, type Milliseconds, type Prober, serviceKey, toFault } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import { type AliveTime, advance, aliveFrom } from './alive-time.ts'
import type { Departures, Leaver } from './departures.ts'
import { Leases } from './leases.ts'
import type { Loop, RegistryMetrics } from './metrics.ts'
import { isMassSilence, mayExpire, type Silence } from './protection.ts'
import type { ServiceState } from './service-state.ts'
import type { Sessions } from './sessions.ts'
import type { RegistrySettings } from './settings.ts'
import { causesOf, incarnationOf, type Slot } from './slot.ts'
import type { RegistryState } from './state.ts'
import type { Cancel, Timers } from './timers.ts'

export interface LeaseWatchParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly state: RegistryState
  readonly sessions: Sessions
  readonly departures: Departures
  readonly prober: Prober
  readonly settings: RegistrySettings
  readonly metrics: RegistryMetrics
  readonly log: Log
  readonly onFault: (loop: Loop, fault: Fault) => void
}

interface Protected {
  readonly since: Milliseconds
  readonly nextProbe: Milliseconds
}

/** So many leases long is kept what nothing but heartbeats ever spoke for: 5 minutes by default. */
const patienceInLeases = 20

/** Ends leases, and keeps those beyond their end whose silence proves nothing (`protection.ts`). */
export class LeaseWatch {
  readonly #parts: LeaseWatchParts
  readonly #leases: Leases<Slot>
  /** Beyond their lease and still here. */
  readonly #protected = new Map<Slot, Protected>()
  /** Their removal is under way. */
  readonly #leaving = new Set<Slot>()
  readonly #protectedServices = new Set<ServiceState>()
  readonly #stop = new AbortController()
  #time: AliveTime
  #cancel: Cancel = () => {}

  constructor(parts: LeaseWatchParts) {
    this.#parts = parts
    this.#leases = new Leases(parts.settings.leaseMs)
    this.#time = aliveFrom(parts.clock.now())
    // As many listen as probes are under way.
    setMaxListeners(0, this.#stop.signal)
  }

  start(): void {
    this.#cancel = this.#planCheck()
  }

  /** Runs a lease for what nothing holds, and none for what a session, a process or the config file holds. */
  follow(slot: Slot): void {
    const held = slot.record.value?.held
    if (held === undefined || this.#parts.sessions.isHolding(held)) this.#leases.stop(slot)
    else if (!this.#leases.isRunning(slot)) this.#leases.start(slot, this.#time.alive)
  }

  /** A sign of life: the lease starts anew, and protection has nothing to protect here. */
  heard(slot: Slot): void {
    this.forget(slot)
    this.follow(slot)
  }

  forget(slot: Slot): void {
    this.#leases.stop(slot)
    this.#protected.delete(slot)
  }

  isRunning(slot: Slot): boolean {
    return this.#leases.isRunning(slot) || this.#protected.has(slot)
  }

  close(): void {
    this.#stop.abort()
    this.#cancel()
  }

  #planCheck(): Cancel {
    return this.#parts.timers.after(this.#parts.settings.leaseCheckMs, () => {
      this.#cancel = this.#planCheck()
      this.#check()
    })
  }

  #check(): void {
    const { clock, settings, metrics, state } = this.#parts
    this.#time = advance(this.#time, clock.now(), settings.leaseCheckMs)
    if (this.#time.wasLate) {
      // Renewals may wait in our sockets: they are read before the next check.
      metrics.heldUp.inc()
      return
    }
    const over = new Map<ServiceState, Slot[]>()
    for (const slot of [...this.#leases.expired(this.#time.alive), ...this.#protected.keys()]) {
      if (this.#leaving.has(slot)) continue
      const service = state.service(slot.name)
      const slots = over.get(service)
      if (slots === undefined) over.set(service, [slot])
      else slots.push(slot)
    }
    if (over.size > 0) this.#judge(over)
    this.#observe()
  }

  #judge(over: ReadonlyMap<ServiceState, readonly Slot[]>): void {
    const { sessions, state, log } = this.#parts
    const lostSessions = sessions.silence(session => state.heldBy(session).size > 0)
    for (const [service, slots] of over) {
      const silence = this.#silenceOf(service)
      if (mayExpire(silence, lostSessions)) {
        this.#remove(slots, 'expired')
        continue
      }
      if (!this.#protectedServices.has(service)) {
        this.#protectedServices.add(service)
        log.warn(
          { event: 'protected', service: serviceKey(service.name), ...silence, sessions: lostSessions },
          'too many fell silent together: instances stay beyond their lease',
        )
      }
      const outlasted = isMassSilence(lostSessions) ? [] : slots.filter(slot => this.#hasOutlasted(slot))
      if (outlasted.length > 0) this.#remove(outlasted, 'expired')
      for (const slot of slots) if (!outlasted.includes(slot)) this.#protect(slot)
    }
  }

  /** Keeps it, and asks at once and then once a lease whether its host can say that it is gone. */
  #protect(slot: Slot): void {
    const { alive } = this.#time
    const { since, nextProbe } = this.#protected.get(slot) ?? { since: alive, nextProbe: alive }
    if (nextProbe > alive) return
    this.#leases.stop(slot)
    this.#protected.set(slot, { since, nextProbe: alive + this.#parts.settings.leaseMs })
    const { instance } = slot
    if (instance === undefined) return
    const settle = async (): Promise<void> => {
      const result = await this.#parts.prober.probe(instance, this.#stop.signal, slot.record.value?.checks)
      if (result === 'refused') this.#remove([slot], 'refused')
    }
    settle().catch((thrown: unknown) => this.#parts.onFault('leases', toFault(thrown)))
  }

  /**
   * Whether its protection is over. While sessions are well, the network is: registrations whose heartbeats stopped
   * together and stay away were left behind, even where something else answers at their port by now.
   */
  #hasOutlasted(slot: Slot): boolean {
    const kept = this.#protected.get(slot)
    const isHeld = Object.keys(slot.record.value?.held ?? {}).length > 0
    return (
      kept !== undefined &&
      !isHeld &&
      this.#time.alive - kept.since > patienceInLeases * this.#parts.settings.leaseMs
    )
  }

  #remove(slots: readonly Slot[], reason: 'expired' | 'refused'): void {
    const leavers = slots.map((slot): Leaver => ({ slot, incarnation: incarnationOf(slot), reason }))
    for (const slot of slots) this.#leaving.add(slot)
    this.#parts.departures
      // Whoever is heard of before its commit is under way stays.
      .remove(leavers, slot => this.#leases.isOver(slot, this.#time.alive) || this.#protected.has(slot))
      .catch((thrown: unknown) => this.#parts.onFault('leases', toFault(thrown)))
      .finally(() => {
        for (const slot of slots) this.#leaving.delete(slot)
      })
  }

  /** Who counts as silent: beyond two thirds of its lease, or disconnected, or kept by protection. */
  #silenceOf(service: ServiceState): Silence {
    let silent = 0
    for (const slot of service.slots.values()) {
      if (slot.instance === undefined) continue
      const isOverdue = this.#leases.isOverdue(slot, this.#time.alive) || this.#protected.has(slot)
      if (isOverdue || causesOf(slot).some(({ kind }) => kind === 'disconnected')) silent++
    }
    return { all: service.size, silent }
  }

  #observe(): void {
    this.#parts.metrics.protectedInstances.set(this.#protected.size)
    if (this.#protectedServices.size === 0) return
    const still = new Set([...this.#protected.keys()].map(slot => this.#parts.state.known(slot.name)))
    for (const service of this.#protectedServices) {
      if (still.has(service)) continue
      this.#protectedServices.delete(service)
      this.#parts.log.info(
        { event: 'protection-over', service: serviceKey(service.name) },
        'protection is over',
      )
    }
  }
}
