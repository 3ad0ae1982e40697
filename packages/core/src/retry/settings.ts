import type { Milliseconds } from '../time/clock.ts'

/** What a request may fail of and be tried again; besides, any status from 400 to 599. */
export const retryTroubles = ['refused', 'connect', 'reset', 'timeout'] as const
export type RetryTrouble = (typeof retryTroubles)[number]

/** When a request is tried again, and how often, as a route table tells it. What is absent is as by default. */
export interface RetrySettings {
  /** Further tries after the first; 0 = none. Default 1, or 3 where connections are refused. */
  readonly attempts?: number
  /** From a try's last byte to its answer's head. Default: as long as the request has. */
  readonly perTryTimeoutMs?: Milliseconds
  /** Default: refused, connect and reset, and timeout where there is a `perTryTimeoutMs`. */
  readonly on?: readonly (RetryTrouble | number)[]
}

/** What all retries of one service together may cost. */
export interface RetryBudgetSettings {
  /** So much of its requests. */
  readonly ratio?: number
  /** So many a second where that is more. */
  readonly minPerSecond?: number
}
