import { type Check, formatDuration, type Milliseconds, toFault } from '@portolan/core'
import type { FairTime } from './fair-time.ts'
import { type Entrant, Gate } from './gate.ts'
import type { Finding, Probe, ProbeTarget, Running } from './probes/probe.ts'
import type { Timed } from './wheel.ts'

/** The kinds of check that are looked at; `ttl` is listened to. */
export type Looked = Exclude<Check, { type: 'ttl' }>

/**
 * Of so many looks that began within the time of one, somebody would have answered, or refused: when nobody did, it is
 * our own network, or our own machine, that stands still, and silence says nothing of those who are asked.
 */
const manyAsked = 16

/** How each type of check is looked at. */
export type Probes = { readonly [Type in Looked['type']]?: Probe<Extract<Check, { type: Type }>> }

/** One question, and who wants to know. */
export interface Question {
  readonly target: ProbeTarget<Looked>
  readonly timeoutMs: Milliseconds
  /** Whose time-out it is, where it is not the check's own: the reason says so. */
  readonly timeoutOf?: string
  /** Unanswered for so long, `late` is told once; longer than the time-out = never. */
  readonly lateAfterMs: Milliseconds
  /** Its turn has come. */
  begins(): void
  late(): void
  /** Once, unless the look was cancelled. */
  found(finding: Finding): void
  /** Nobody looks any more: `found` never comes. */
  dropped?(): void
}

/** A look that waits for its turn or is under way. */
export interface Look {
  /** Ends it; nobody hears of it any more. */
  cancel(): void
}

export interface LooksParts {
  readonly time: FairTime
  readonly probes: Probes
  /** Looks under way at the same time. */
  readonly most: number
  /** Runs something once the sockets that are ready now have been served. */
  readonly nextTurn: (run: () => void) => void
  /** Each finding, for the counters. */
  readonly onFinding: (type: Check['type'], finding: Finding, isTimeout: boolean) => void
  readonly onFault: (thrown: unknown) => void
}

/**
 * Carries out looks: so many at a time, each within its time, which is kept here and not by the probes, so that our
 * own lateness is never taken for the instance's.
 */
export class Looks {
  readonly #parts: LooksParts
  readonly #gate: Gate
  readonly #open = new Set<UnderWay>()
  readonly #echo: Echo = { asked: 0, answered: 0 }
  #isClosed = false

  constructor(parts: LooksParts) {
    this.#parts = parts
    this.#gate = new Gate(parts.most, parts.nextTurn)
  }

  /** How many are under way, and how many wait for their turn. */
  counts(): { readonly underWay: number; readonly waiting: number } {
    let underWay = 0
    for (const look of this.#open) if (look.isUnderWay) underWay++
    return { underWay, waiting: this.#open.size - underWay }
  }

  /** `isUrgent`: a suspect, or the registry itself, waits for it. */
  begin(question: Question, isUrgent: boolean): Look {
    const look = new UnderWay(question, this.#parts, this.#gate, { open: this.#open, echo: this.#echo })
    if (this.#isClosed) {
      look.drop()
      return look
    }
    // Programs wait in a queue of their own, so that they don't take the places of what is quick.
    if (look.isGated) this.#gate.enter(look, isUrgent)
    else look.begin()
    return look
  }

  limit(most: number): void {
    this.#gate.limit(most)
  }

  close(): void {
    this.#isClosed = true
    // The places that become free now are nobody's.
    this.#gate.limit(0)
    for (const look of this.#open) look.drop()
  }
}

/** How many looks have begun that are no second opinions, and how many looks were answered in any way. */
interface Echo {
  asked: number
  answered: number
}

const noEcho: Echo = { asked: 0, answered: 0 }

interface Shared {
  readonly open: Set<UnderWay>
  readonly echo: Echo
}

class UnderWay implements Look, Entrant, Timed {
  at = 0
  previous: Timed | undefined
  next: Timed | undefined
  readonly #question: Question
  readonly #parts: LooksParts
  readonly #gate: Gate
  readonly #open: Set<UnderWay>
  #phase: 'queued' | 'running' | 'over' = 'queued'
  #running: Running | undefined
  #startedAt = 0
  #isLate = false
  readonly #echo: Echo
  #echoBefore: Readonly<Echo> = noEcho

  constructor(question: Question, parts: LooksParts, gate: Gate, shared: Shared) {
    this.#question = question
    this.#parts = parts
    this.#gate = gate
    this.#open = shared.open
    this.#echo = shared.echo
    this.#open.add(this)
  }

  get isUnderWay(): boolean {
    return this.#phase === 'running' && this.#running?.waiting !== true
  }

  get isGated(): boolean {
    return this.#question.target.check.type !== 'script'
  }

  begin(): boolean {
    if (this.#phase !== 'queued') return false
    const { time } = this.#parts
    const { target } = this.#question
    this.#question.begins()
    const probe = this.#parts.probes[target.check.type] as Probe<Looked> | undefined
    this.#phase = 'running'
    time.attend()
    this.#startedAt = time.now
    this.#echoBefore = { ...this.#echo }
    if (!target.fresh) this.#echo.asked++
    this.#plan(0)
    try {
      if (probe === undefined) throw new Error(`nothing here probes ${target.check.type}`)
      this.#running = probe.start(target, finding => this.#settled(finding))
    } catch (thrown) {
      this.#parts.onFault(thrown)
      const reason = `it could not be tested: ${toFault(thrown).message}`.slice(0, 256)
      const finding = { status: 'critical', presence: 'silent', reason, latencyMs: 0 } as const
      this.#finish({ ...finding, inconclusive: true }, false)
    }
    return true
  }

  ring(now: Milliseconds): void {
    if (this.#running?.waiting === true) {
      // It has not begun yet: its time starts when it has, as far as can be told from here.
      this.#startedAt = now
      this.#plan(0)
      return
    }
    const { timeoutMs, timeoutOf } = this.#question
    const elapsed = now - this.#startedAt
    if (elapsed >= timeoutMs) {
      const after = formatDuration(timeoutMs)
      const overdue =
        this.#running?.overdue?.(after) ?? `${this.#running?.waitingFor?.() ?? 'no answer'} within ${after}`
      const whose = timeoutOf === undefined ? '' : ` (${timeoutOf})`
      const reason = `${overdue}${whose}`
      this.#running?.cancel()
      const silent = { status: 'critical', presence: 'silent', latencyMs: timeoutMs } as const
      if (this.#isNobodyHeard()) {
        const ours = `${reason}, nor from anybody else: it may be our own network`
        this.#finish({ ...silent, reason: ours, inconclusive: true }, true)
      } else this.#finish({ ...silent, reason }, true)
      return
    }
    this.#isLate = true
    this.#plan(elapsed)
    this.#question.late()
  }

  cancel(): void {
    if (this.#phase === 'over') return
    const wasRunning = this.#phase === 'running'
    this.#end()
    this.#running?.cancel()
    if (wasRunning && this.isGated) this.#gate.leave()
  }

  drop(): void {
    this.cancel()
    this.#question.dropped?.()
  }

  #isNobodyHeard(): boolean {
    const { asked, answered } = this.#echoBefore
    return this.#echo.answered === answered && this.#echo.asked - asked >= manyAsked
  }

  #plan(elapsed: Milliseconds): void {
    const { timeoutMs, lateAfterMs } = this.#question
    const next = this.#isLate || lateAfterMs >= timeoutMs ? timeoutMs : lateAfterMs
    this.#parts.time.plan(this, this.#startedAt + Math.max(next, elapsed))
  }

  #settled(finding: Finding): void {
    if (this.#phase !== 'running') return
    // While our own loop stood still, the answer lay here.
    const elapsed = this.#parts.time.now - this.#startedAt + 1
    const latencyMs = Math.max(0, Math.min(finding.latencyMs, elapsed))
    this.#finish(finding.latencyMs === latencyMs ? finding : { ...finding, latencyMs }, false)
  }

  #finish(finding: Finding, isTimeout: boolean): void {
    if (this.#phase === 'over') return
    this.#end()
    if (finding.presence !== 'silent') this.#echo.answered++
    this.#parts.onFinding(this.#question.target.check.type, finding, isTimeout)
    try {
      this.#question.found(finding)
    } catch (thrown) {
      this.#parts.onFault(thrown)
    }
    if (this.isGated) this.#gate.leave()
  }

  #end(): void {
    if (this.#phase === 'running') this.#parts.time.relax()
    this.#phase = 'over'
    this.#open.delete(this)
    this.#parts.time.callOff(this)
  }
}
