import type { Check, CheckStatus, Instance, Milliseconds, ProbeResult } from '@portolan/core'

/** What one probe found. */
export interface Finding {
  readonly status: CheckStatus
  /** What it proves of the instance's being there at all: a 503 is critical, and was answered. */
  readonly presence: ProbeResult
  /** For people; empty when passing: `GET /health answered 503`. At most 256 characters. */
  readonly reason: string
  readonly latencyMs: Milliseconds
  /** The end of what it printed or answered, where that helps: at most 4 KiB. */
  readonly output?: string
  /** Numbers that it reported, at most 64. */
  readonly metrics?: Readonly<Record<string, number>>
  /** It was we who could not look (too many open files, no free local port): no vote, whatever `status` says. */
  readonly inconclusive?: true
}

export interface ProbeTarget<Kind extends Check = Check> {
  readonly instance: Instance
  readonly check: Kind
  /** Nothing that an earlier probe left open may be used again: a suspect must accept anew. */
  readonly fresh: boolean
}

/** A probe under way. */
export interface Running {
  /**
   * Ends it, with everything that it has opened or started; it settles no more. Whoever starts a probe keeps its
   * time, so that lateness of our own event loop can be taken into account.
   */
  cancel(): void
  /** It has not begun, for want of room among its like: its time does not run yet. Absent = false. */
  readonly waiting?: boolean
  /** How far it has come, for the reason of a time-out: `no connection`, `connected, no answer`. */
  waitingFor?(): string
  /** The whole reason of a time-out after that much time. Default: `waitingFor` and how long it was waited for. */
  overdue?(after: string): string
}

/** How instances are looked at, for one type of check. Many run side by side. */
export interface Probe<Kind extends Check = Check> {
  /** Starts one probe, which settles once, never within this call, and never throws; or is cancelled. */
  start(target: ProbeTarget<Kind>, settle: (finding: Finding) => void): Running
  /** Ends what is kept open between probes. */
  close(): Promise<void>
}
