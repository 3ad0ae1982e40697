import type { Milliseconds } from '../time/clock.ts'

/** When a process keeps an instance out of its own picks because of what its own requests found. */
export interface OutlierSettings {
  /** Failures in a row, answers 500, 502, 503 and 504 among them. 0 = these never count. */
  readonly consecutive5xx: number
  /** Connections in a row that broke or timed out. A refused one is proof, and counts at once. */
  readonly consecutiveBroken: number
  /**
   * So many healthy instances stay, whatever they answer. Not counted are those that refuse connections: keeping
   * them keeps nobody. Undefined = half of the service, rounded up.
   */
  readonly keepAtLeast: number | undefined
  /** The first time out; each one that follows before the last is forgiven is twice as long … */
  readonly firstOutMs: Milliseconds
  /** … up to this. */
  readonly longestOutMs: Milliseconds
  /** One ejection is forgiven for so long without another, with answers that speak well of the instance. */
  readonly forgiveMs: Milliseconds
  /** How fast the window forgets: what is this old counts 1/e. */
  readonly windowMs: Milliseconds
  /** Success rate and latency are compared among instances with so many requests in the window … */
  readonly enoughRequests: number
  /** … where there are so many of them. */
  readonly enoughPeers: number
  /** Out goes who succeeds less often than the mean of all minus so many standard deviations. 0 = never. */
  readonly successDeviations: number
  /** And by so much less than the mean: where nearly all is well, a deviation is a rounding error. */
  readonly successMargin: number
  /** Out goes whose mean answer takes so many times as long as the median instance's. 0 = never. */
  readonly latencyFactor: number
  /** And at least so much longer: among answers of microseconds, ten times is nothing. */
  readonly latencyMarginMs: Milliseconds
}

/**
 * The numbers of Envoy's outlier detection, but for three: times out are 1 to 4 s rather than 30 s to 5 minutes (a trial costs
 * one request; and while half of a service is out for longer than its fault lasts, the other half bears all), half of the instances stay rather than a tenth being let go, and latency has no counterpart there.
 *
 * Latency is off: a slow instance is not a broken one. Balancing by load sends it less by itself, in proportion, where
 * ejection would throw away what it can still do; and instances that get other work than their peers (a hot key, the
 * largest tenant) would be ejected for it.
 */
export const outlierDefaults: OutlierSettings = {
  consecutive5xx: 5,
  consecutiveBroken: 3,
  keepAtLeast: undefined,
  firstOutMs: 1000,
  longestOutMs: 4000,
  forgiveMs: 10_000,
  windowMs: 10_000,
  enoughRequests: 100,
  enoughPeers: 5,
  successDeviations: 1.9,
  successMargin: 0.1,
  latencyFactor: 0,
  latencyMarginMs: 10,
}

/** How long an instance stays out that has so many ejections to its name. */
export function timeOut(strikes: number, { firstOutMs, longestOutMs }: OutlierSettings): Milliseconds {
  return Math.min(longestOutMs, firstOutMs * 2 ** Math.min(strikes, 30))
}

/** How many of `instances` stay at least. */
export function keptAtLeast(instances: number, { keepAtLeast }: OutlierSettings): number {
  return keepAtLeast ?? Math.ceil(instances / 2)
}
