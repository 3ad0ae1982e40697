import type { Milliseconds } from '../../time/clock.ts'

/** What an endpoint's answers say of its speed. It lies on the endpoint, and so survives set changes. */
export class Learned {
  /** Since the last refresh. */
  sumMs: Milliseconds = 0
  count = 0
  /** What a request takes there, by the policy's own reckoning; 0 = nothing is known yet. */
  latencyMs: Milliseconds = 0
  /** For how long nothing has come, as of the last refresh. */
  silentMs: Milliseconds = 0
  /** What a request costs there, in units of what it costs at the median endpoint. */
  cost = 1
}

/**
 * Where nothing comes, what is known comes near the usual over so long, by parts of the ratio between them: who was found
 * slow gets little, so that next to nothing would ever be learned of its recovery.
 */
const forgetMs: Milliseconds = 10_000

/** What one time span and what is usual mean for all of a set. */
export interface Folding {
  /** What has come counts as of so long. */
  readonly overMs: Milliseconds
  /** The mean forgets over so long. */
  readonly memoryMs: Milliseconds
  /** What a request usually takes; 0 = nobody knows. */
  readonly usualMs: Milliseconds
}

/** Takes in what has come since the last time: a mean that forgets by the clock, however few answers there are. */
export function fold(learned: Learned, { overMs, memoryMs, usualMs }: Folding): void {
  const silentMs = learned.silentMs + overMs
  if (learned.count === 0) {
    learned.silentMs = silentMs
    if (learned.latencyMs > 0 && usualMs > 0) {
      learned.latencyMs *= (usualMs / learned.latencyMs) ** (1 - Math.exp(-overMs / forgetMs))
    }
    return
  }
  const mean = learned.sumMs / learned.count
  learned.sumMs = 0
  learned.count = 0
  learned.silentMs = 0
  if (learned.latencyMs === 0) learned.latencyMs = mean
  else learned.latencyMs += (1 - Math.exp(-silentMs / memoryMs)) * (mean - learned.latencyMs)
}

/** The middle of what is known of them; 0 where nothing is. */
export function medianLatency(all: readonly Learned[]): Milliseconds {
  const known: number[] = []
  for (const { latencyMs } of all) if (latencyMs > 0) known.push(latencyMs)
  known.sort((a, b) => a - b)
  return known[known.length >> 1] ?? 0
}
