import type { Milliseconds } from '../../time/clock.ts'

/** What an endpoint's answers say of its speed. It lies on the endpoint, and so survives set changes. */
export class Learned {
  /** Since the last refresh. */
  sumMs: Milliseconds = 0
  count = 0
  /** What a request takes there, by the policy's own reckoning; 0 = nothing is known yet. */
  latencyMs: Milliseconds = 0
  /** What a request costs there, in units of what it costs at the median endpoint. */
  cost = 1
}

/** Takes in what has come since the last time: a mean that forgets over `memoryMs`. */
export function fold(learned: Learned, overMs: Milliseconds, memoryMs: Milliseconds): void {
  if (learned.count === 0) return
  const mean = learned.sumMs / learned.count
  learned.sumMs = 0
  learned.count = 0
  if (learned.latencyMs === 0) learned.latencyMs = mean
  else learned.latencyMs += (1 - Math.exp(-overMs / memoryMs)) * (mean - learned.latencyMs)
}

/** The middle of what is known of them; 0 where nothing is. */
export function medianLatency(all: readonly Learned[]): Milliseconds {
  const known: number[] = []
  for (const { latencyMs } of all) if (latencyMs > 0) known.push(latencyMs)
  known.sort((a, b) => a - b)
  return known[known.length >> 1] ?? 0
}
