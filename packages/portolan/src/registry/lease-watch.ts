import { setMaxListeners } from 'node:events'
import {
  type Clock,
  type Fault,
  type InstanceName,
  type Milliseconds,
  type ProbeResult,
  type Prober,
  toFault,
} from '@portolan/core'
import type { Log } from '../observe/log.ts'
import { type AliveTime, advance, aliveFrom } from './alive-time.ts'
import type { Departures, Leaver } from './departures.ts'
import { Kept } from './kept.ts'
import { Leases } from './leases.ts'
import { MassLoss } from './mass-loss.ts'
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
  /** For the history of an instance. */
  readonly happened: (name: InstanceName, by: string, what: string) => void
  /** What a look at a lost instance found. */
  readonly proved: (slot: Slot, result: ProbeResult) => void
  readonly onFault: (loop: Loop, fault: Fault) => void
}

/** So many leases long is kept what nothing but heartbeats ever spoke for: 5 minutes by default. */
const patienceInLeases = 20

/** After sessions have come back, those still missing are looked at so often at most. */
const lookAgainMs: Milliseconds = 1000

/** And so many of them at a time: more would take the time that those who come back need. */
const looksAtOnce = 500

/** Ends leases, and keeps those beyond their end whose silence proves nothing (`protection.ts`). */
export class LeaseWatch {
  readonly #parts: LeaseWatchParts
  readonly #leases: Leases<Slot>
  /** Beyond their lease and still here. */
  readonly #kept: Kept
  readonly #lost = new MassLoss()
  /** Their removal is under way. */
  readonly #leaving = new Set<Slot>()
  readonly #stop = new AbortController()
  #time: AliveTime
  #hasAnyReturned = false
  #lookedAt: Milliseconds = Number.NEGATIVE_INFINITY
  /** How many of the missing were looked at since there are any. */
  #looked = 0
  #cancel: Cancel = () => {}

  constructor(parts: LeaseWatchParts) {
    this.#parts = parts
    this.#leases = new Leases(parts.settings.leaseMs)
    this.#kept = new Kept(parts)
    this.#time = aliveFrom(parts.clock.now())
    // As many listen as probes are under way.
    setMaxListeners(0, this.#stop.signal)
  }

  start(): void {
    this.#cancel = this.#planCheck()
  }

  /** Runs a lease for what nothing holds, and none for what a session, a process or the config file holds. */
  follow(slot: Slot): void {
    const { sessions, state } = this.#parts
    const held = slot.record.value?.held
    if (held === undefined || sessions.isHolding(held)) {
      this.#leases.stop(slot)
      this.#lost.delete(state.known(slot.name), slot)
      return
    }
    if (held.session !== undefined || held.process !== undefined) {
      this.#lost.add(state.service(slot.name), slot)
    }
    if (!this.isRunning(slot)) this.#leases.start(slot, this.#time.alive)
  }

  /** A sign of life: the lease starts anew, and protection has nothing to protect here. */
  heard(slot: Slot): void {
    this.forget(slot)
    this.follow(slot)
  }

  forget(slot: Slot): void {
    this.#leases.stop(slot)
    this.#kept.release(slot)
    this.#lost.delete(this.#parts.state.known(slot.name), slot)
  }

  isRunning(slot: Slot): boolean {
    return this.#leases.isRunning(slot) || this.#kept.has(slot)
  }

  /** A session or an answer came back. What kept it away may be over for others, too: the dead can be told so now. */
  returned(): void {
    if (!this.#lost.isEmpty || !this.#kept.isEmpty) this.#hasAnyReturned = true
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
    const { clock, settings, metrics, state, sessions } = this.#parts
    this.#time = advance(this.#time, clock.now(), settings.leaseCheckMs)
    if (this.#time.wasLate) {
      // Renewals may wait in our sockets: they are read before the next check.
      metrics.heldUp.inc()
      return
    }
    if (!this.#lost.isEmpty || !this.#kept.isEmpty || this.#leases.expired(this.#time.alive).length > 0) {
      this.#settle(sessions.silence(session => state.heldBy(session).size > 0))
    }
    this.#kept.observe()
  }

  #settle(silentSessions: Silence): void {
    const { state } = this.#parts
    for (const slot of this.#lost.remnants(silentSessions)) this.#beginAnew(slot)
    const over = new Map<ServiceState, Slot[]>()
    for (const slot of [...this.#leases.expired(this.#time.alive), ...this.#kept.slots()]) {
      if (this.#leaving.has(slot)) continue
      const service = state.service(slot.name)
      const slots = over.get(service)
      if (slots === undefined) over.set(service, [slot])
      else slots.push(slot)
    }
    for (const [service, slots] of over) this.#judge(service, slots, silentSessions)
    this.#lookAgain()
  }

  #judge(service: ServiceState, slots: readonly Slot[], sessions: Silence): void {
    const { settings } = this.#parts
    const silence = this.#silenceOf(service)
    if (mayExpire(silence, sessions)) {
      const [kept, due] = [
        slots.filter(slot => this.#kept.has(slot)),
        slots.filter(slot => !this.#kept.has(slot)),
      ]
      if (due.length > 0) this.#remove(due, 'expired')
      for (const slot of kept) this.#beginAnew(slot)
      return
    }
    this.#kept.began(service, silence, sessions)
    const outlasted = isMassSilence(sessions) ? [] : slots.filter(slot => this.#hasOutlasted(slot))
    if (outlasted.length > 0) this.#remove(outlasted, 'expired')
    for (const slot of slots) {
      if (outlasted.includes(slot)) continue
      this.#leases.stop(slot)
      // Asked at once and then once a lease whether its host can say that it is gone.
      if (this.#kept.keep(slot, service, this.#time.alive, settings.leaseMs)) this.#look(slot)
    }
  }

  /** What held it up is over, and it has the time of a lease to be heard of. */
  #beginAnew(slot: Slot): void {
    this.#kept.release(slot)
    this.#leases.start(slot, this.#time.alive)
  }

  /** While sessions come back, looks at those that are missing. */
  #lookAgain(): void {
    if (!this.#hasAnyReturned || this.#time.alive - this.#lookedAt < lookAgainMs) return
    this.#hasAnyReturned = false
    this.#lookedAt = this.#time.alive
    const missing = this.#missing()
    const from = missing.length === 0 ? 0 : this.#looked % missing.length
    const turn = [...missing.slice(from), ...missing.slice(0, from)].slice(0, looksAtOnce)
    this.#looked = missing.length === 0 ? 0 : from + turn.length
    for (const slot of turn) this.#look(slot)
  }

  /** Of whom nothing is known. Who has answered since it was lost is tested like any other, and is not among them. */
  #missing(): readonly Slot[] {
    return [...new Set([...[...this.#lost].filter(isDisconnected), ...this.#kept.slots()])]
  }

  #look(slot: Slot): void {
    const { prober, proved, onFault } = this.#parts
    const { instance } = slot
    if (instance === undefined) return
    const settle = async (): Promise<void> => {
      const result = await prober.probe(instance, this.#stop.signal, slot.record.value?.checks)
      if (incarnationOf(slot) !== instance.incarnation || this.#stop.signal.aborted) return
      if (result === 'refused' && this.#kept.has(slot)) this.#remove([slot], 'refused')
      else proved(slot, result)
    }
    settle().catch((thrown: unknown) => onFault('leases', toFault(thrown)))
  }

  /**
   * Whether its protection is over. While sessions are well, the network is: registrations whose heartbeats stopped
   * together and stay away were left behind, even where something else answers at their port by now.
   */
  #hasOutlasted(slot: Slot): boolean {
    const since = this.#kept.since(slot)
    const isHeld = Object.keys(slot.record.value?.held ?? {}).length > 0
    return (
      since !== undefined &&
      !isHeld &&
      this.#time.alive - since > patienceInLeases * this.#parts.settings.leaseMs
    )
  }

  #remove(slots: readonly Slot[], reason: 'expired' | 'refused'): void {
    const leavers = slots.map((slot): Leaver => ({ slot, incarnation: incarnationOf(slot), reason }))
    for (const slot of slots) this.#leaving.add(slot)
    this.#parts.departures
      // Whoever is heard of before its commit is under way stays.
      .remove(leavers, slot => this.#leases.isOver(slot, this.#time.alive) || this.#kept.has(slot))
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
      const isOverdue = this.#leases.isOverdue(slot, this.#time.alive) || this.#kept.has(slot)
      if (isOverdue || isDisconnected(slot)) silent++
    }
    return { all: service.size, silent }
  }
}

function isDisconnected(slot: Slot): boolean {
  return causesOf(slot).some(({ kind }) => kind === 'disconnected')
}
