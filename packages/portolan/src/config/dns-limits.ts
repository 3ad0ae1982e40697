import type { Milliseconds } from '@portolan/core'

/** What the file and the command line of DNS both keep to. */
export const dnsLimits: {
  /** Drains wait for as long as answers are kept, and no timer of Node's waits for more than 2^31 ms. */
  readonly longestTtlMs: Milliseconds
  /** Nobody waits for an answer for longer: clients give up after a few seconds. */
  readonly longestForwardTimeoutMs: Milliseconds
} = { longestTtlMs: 86_400_000, longestForwardTimeoutMs: 60_000 }

/** A domain that DNS answers for: lower-case labels without the last dot, and room for the names in it. */
export const domainShape =
  /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
