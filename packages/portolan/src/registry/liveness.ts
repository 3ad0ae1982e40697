import { setMaxListeners } from 'node:events'
import {
  type Fault,
  type InstanceName,
  type Milliseconds,
  type ProbeResult,
  type Prober,
  toFault,
} from '@portolan/core'
import type { Departures, Leaver } from './departures.ts'
import { disconnect, disconnections, reconnect, restart, seen } from './disconnected.ts'
import type { CauseJournal, EditCauses } from './journal.ts'
import type { LeaseWatch } from './lease-watch.ts'
import type { Loop } from './metrics.ts'
import { isMassSilence } from './protection.ts'
import type { Sessions } from './sessions.ts'
import { causesOf, incarnationOf, type Slot } from './slot.ts'
import type { RegistryState } from './state.ts'
import type { Cancel, Timers } from './timers.ts'

export interface LivenessParts {
  readonly state: RegistryState
  readonly sessions: Sessions
  readonly leases: LeaseWatch
  readonly journal: CauseJournal
  readonly departures: Departures
  readonly prober: Prober
  readonly timers: Timers
  /** For the history of an instance. */
  readonly happened: (name: InstanceName, by: string, what: string) => void
  readonly onFault: (loop: Loop, fault: Fault) => void
}

/**
 * Draws conclusions about instances from facts about connections. A session that falls silent or closes takes its
 * instances out of traffic at once; whether they are gone, a probe says, or the end of their lease.
 */
export class Liveness {
  readonly #parts: LivenessParts
  readonly #stop = new AbortController()
  readonly #pauses = new Set<Cancel>()
  /** Their session has closed just now: one answer proves nothing yet. */
  readonly #dying = new WeakSet<Slot>()

  constructor(parts: LivenessParts) {
    this.#parts = parts
    // As many listen as probes are under way.
    setMaxListeners(0, this.#stop.signal)
  }

  /** A registration, a renewal: somebody who may speak for the instance says that it lives. */
  heard(slot: Slot): Promise<void> {
    const { leases, journal } = this.#parts
    leases.heard(slot)
    // While edits are on their way, one of them may be this instance's `disconnected`.
    if (journal.isIdle && !isDisconnected(slot)) return done
    return journal.edit(slot.name, this.#reconnect)
  }

  opened(session: string): void {
    const { sessions, leases } = this.#parts
    sessions.set(session, 'alive')
    leases.returned()
    this.#signOfLife(session)
  }

  answered(session: string): void {
    const { sessions, leases, happened } = this.#parts
    if (sessions.stateOf(session) !== 'silent') return
    sessions.set(session, 'alive')
    leases.returned()
    this.#signOfLife(session)
    for (const { name } of this.#parts.state.heldBy(session))
      happened(name, session, 'its session answers again')
  }

  silent(session: string): void {
    const { sessions } = this.#parts
    if (sessions.stateOf(session) !== 'alive') return
    sessions.set(session, 'silent')
    for (const slot of this.#heldBy(session)) this.#disconnect(slot, session, 'silent')
  }

  closed(session: string): void {
    const { sessions, state } = this.#parts
    if (sessions.stateOf(session) === undefined) return
    const wasSilent = sessions.close(session, state.heldBy(session).size > 0) === 'silent'
    for (const slot of this.#heldBy(session)) this.lost(slot, session, wasSilent)
  }

  /** An instance whose session closed without a goodbye: out of traffic now, and a probe says what follows. */
  lost(slot: Slot, session: string, wasSilent: boolean): void {
    this.#disconnect(slot, session, wasSilent ? 'closedSilent' : 'closed')
    this.#dying.add(slot)
    this.#inBackground('probes', this.#settleLost(slot))
  }

  /** What the store remembers from before the start carries `disconnected` until somebody has heard of it. */
  async restored(slots: readonly Slot[]): Promise<void> {
    const { journal, leases, timers } = this.#parts
    const edit = disconnect(restart, 'restarted', timers.timeOfDay())
    for (const slot of slots) leases.follow(slot)
    await Promise.all(slots.map(slot => journal.edit(slot.name, edit)))
    for (const group of groupByService(slots)) this.#inBackground('probes', this.#settleRestored(group))
  }

  /** A look that somebody else took: it settles what our own would have to ask again. */
  proved(slot: Slot, result: ProbeResult): void {
    if (result === 'silent') return
    if (result === 'refused') {
      if (this.#isUnheld(slot)) this.#inBackground('probes', this.#removeRefused(slot))
      return
    }
    // While edits are on their way, one of them may be this instance's `disconnected`.
    if (this.#parts.journal.isIdle && !isDisconnected(slot)) return
    if (this.#dying.has(slot)) return
    // The way to one who was lost is open again: perhaps it is to others, too.
    this.#parts.leases.returned()
    this.#inBackground('probes', this.#seen(slot, result))
  }

  close(): void {
    this.#stop.abort()
    for (const cancel of this.#pauses) cancel()
  }

  readonly #reconnect = reconnect(session => this.#parts.sessions.stateOf(session) === 'silent')

  #heldBy(session: string): Slot[] {
    const { state, sessions } = this.#parts
    return [...state.heldBy(session)].filter(({ record }) =>
      sessions.isWitness(session, record.value?.held ?? {}),
    )
  }

  #signOfLife(session: string): void {
    for (const slot of this.#parts.state.heldBy(session)) this.#inBackground('causes', this.heard(slot))
  }

  #disconnect(slot: Slot, session: string, because: keyof typeof disconnections): void {
    const { journal, leases, timers, happened } = this.#parts
    leases.follow(slot)
    this.#inBackground('causes', journal.edit(slot.name, disconnect(session, because, timers.timeOfDay())))
    happened(slot.name, session, disconnections[because])
  }

  /** Nobody alive holds it. Heartbeats hold it for the length of a lease, unless they are hearsay from before a start. */
  #isUnheld(slot: Slot): boolean {
    const held = slot.record.value?.held ?? {}
    const { sessions } = this.#parts
    if (sessions.isHolding(held)) return false
    // What never listened so far refuses while it lives: busy with its start, its session may well be silent.
    if (isStarting(slot) && sessions.isOpenFor(held)) return false
    return held.session !== undefined || held.process !== undefined || isDisconnected(slot)
  }

  #removeRefused(slot: Slot): Promise<void> {
    const leaver = { slot, incarnation: incarnationOf(slot), reason: 'refused' } as const
    return this.#parts.departures.remove([leaver], () => this.#isUnheld(slot))
  }

  #seen(slot: Slot, by: 'spoke' | 'answered'): Promise<void> {
    return this.#parts.journal.edit(slot.name, ofRun(incarnationOf(slot), seen(by)))
  }

  /** Refused is a crash. An answer keeps it on a plain lease, as far as it proves that its program lives. */
  async #settleLost(slot: Slot): Promise<void> {
    const incarnation = incarnationOf(slot)
    // A probe may get lost like any packet: silence is asked again, for as long as the lease may still run.
    for (const waitMs of [0, ...retriesMs]) {
      if (waitMs > 0) await this.#pause(waitMs)
      const result = this.#dying.has(slot) ? await this.#probeTwice(slot) : await this.#probe(slot)
      if (incarnationOf(slot) !== incarnation || this.#stop.signal.aborted) return
      if (result === 'refused') return this.#removeRefused(slot)
      if (result !== 'silent') return this.#seen(slot, result)
      if (!this.#isUnheld(slot)) return
    }
  }

  /** What answers may be about to be closed: it has to answer again, a little later. */
  async #probeTwice(slot: Slot): Promise<ProbeResult> {
    const first = await this.#probe(slot)
    if (first === 'answered' || first === 'spoke') await this.#pause(dyingMs)
    this.#dying.delete(slot)
    return first === 'refused' || first === 'silent' ? first : this.#probe(slot)
  }

  /** Of one service. When most of it refuses at once, that needs a second look: its hosts may be starting like us. */
  async #settleRestored(slots: readonly Slot[]): Promise<void> {
    const { departures, state, leases } = this.#parts
    const settle = async (slot: Slot): Promise<Leaver | undefined> => {
      const incarnation = incarnationOf(slot)
      const result = await this.#probe(slot)
      if (result === 'refused') return { slot, incarnation, reason: 'refused' }
      if (result === 'silent') this.#inBackground('probes', this.#askAgain(slot))
      else await this.#seen(slot, result)
      return undefined
    }
    const look = async (at: readonly Slot[]): Promise<readonly Leaver[]> =>
      (await Promise.all(at.map(settle))).filter(leaver => leaver !== undefined)
    const refused = await look(slots)
    const [first] = refused
    if (first === undefined || this.#stop.signal.aborted) return
    const isMass = isMassSilence({ all: state.service(first.slot.name).size, silent: refused.length })
    if (isMass) await this.#pause(secondLookMs)
    const leavers = isMass ? await look(refused.map(({ slot }) => slot).filter(isDisconnected)) : refused
    await departures.remove(leavers, slot => leases.isRunning(slot) && isDisconnected(slot))
  }

  async #askAgain(slot: Slot): Promise<void> {
    await this.#pause(retriesMs[0] ?? 0)
    if (isDisconnected(slot)) await this.#settleLost(slot)
  }

  /** Never ends once the registry has closed. */
  #pause(ms: Milliseconds): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#parts.timers.after(ms, () => {
        this.#pauses.delete(cancel)
        resolve()
      })
      this.#pauses.add(cancel)
    })
  }

  async #probe(slot: Slot): Promise<ProbeResult> {
    const { instance } = slot
    return instance === undefined
      ? 'silent'
      : this.#parts.prober.probe(instance, this.#stop.signal, slot.record.value?.checks)
  }

  #inBackground(loop: Loop, work: Promise<void>): void {
    work.catch((thrown: unknown) => {
      if (!this.#stop.signal.aborted) this.#parts.onFault(loop, toFault(thrown))
    })
  }
}

const done = Promise.resolve()

const secondLookMs: Milliseconds = 1000

/**
 * A process that dies may close its session before the port that it listens on, and a probe that is as fast as ours
 * comes in between: an answer counts when another one follows so much later.
 */
const dyingMs: Milliseconds = 50

/** Waits before a silent instance is probed again. */
const retriesMs: readonly Milliseconds[] = [1000, 2000, 4000]

/** An edit for one run alone. */
function ofRun(incarnation: number, edit: EditCauses): EditCauses {
  return (causes, slot) => (incarnationOf(slot) === incarnation ? edit(causes, slot) : causes)
}

function isStarting(slot: Slot): boolean {
  return causesOf(slot).some(({ kind }) => kind === 'starting')
}

function isDisconnected(slot: Slot): boolean {
  return causesOf(slot).some(({ kind }) => kind === 'disconnected')
}

function groupByService(slots: readonly Slot[]): Iterable<readonly Slot[]> {
  const groups = new Map<string, Slot[]>()
  for (const slot of slots) {
    const key = `${slot.name.namespace}/${slot.name.service}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [slot])
    else group.push(slot)
  }
  return groups.values()
}
