import type { Milliseconds } from '../time/clock.ts'

/** What stood in the way of an answer that speaks well of an instance. */
export type Trouble =
  /** The instance's host says that nobody listens there: proof. */
  | 'refused'
  /** No connection came about, or it broke under the request. */
  | 'broken'
  /** A connection that had been kept ended before a byte of the answer came: as likely closed in good order. */
  | 'parted'
  /** No connection, or no answer, in time. */
  | 'timeout'
  /** An answer 500, 502, 503 or 504, or none that can be read. */
  | 'response'

/** Why a process keeps an instance out of its own picks. */
export type EjectionReason = 'consecutive-5xx' | 'refused' | 'broken' | 'success-rate' | 'latency'

/**
 * How an instance stands with one process: `in`; `out`, until its time is over; `due` for a trial; `trying`, while
 * that one request is under way.
 */
export type Standing = 'in' | 'out' | 'due' | 'trying'

/**
 * What one process's requests found out about one run of one instance. Only counted up on the way of a request; all
 * that takes thought happens after failures, or once a second.
 */
export class Tally {
  ok = 0
  failed = 0
  /** Sum of the answer times of `ok`, where they are measured. */
  okMs = 0
  /** Failures of any kind since the last success. */
  failuresInRow = 0
  /** Connections that broke or timed out since the last success. */
  brokenInRow = 0
  lastTrouble: Trouble = 'response'
  /** The status of the last failure that was an answer; 0 = none could be read. */
  lastStatus = 0

  standing: Standing = 'in'
  reason: EjectionReason = 'refused'
  /** When `out` is over, or a `trying` has been waited for long enough. */
  until: Milliseconds = 0
  /** Ejections that are not forgiven yet: each doubles the time of the next. */
  strikes = 0
  /** Since when it is `in`, or when a strike was forgiven last. */
  goodSince: Milliseconds = 0
  /** Requests that were under way when it was ejected: what becomes of them says nothing of its return. */
  stragglers = 0

  /** Decayed counts over the last ten seconds or so. */
  readonly window = { ok: 0, failed: 0, okMs: 0 }
  /** What the window has taken in, and what the registry has been told, of the counts above. */
  readonly rolled = { ok: 0, failed: 0, okMs: 0 }
  readonly told = { ok: 0, failed: 0, suspectAt: Number.NEGATIVE_INFINITY }
}
