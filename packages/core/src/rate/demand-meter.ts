import type { Milliseconds } from '../time/clock.ts'

const slots = 256
/** So many make an average that says something; fewer are looked for further back. */
const enough = 64
const shortestMs: Milliseconds = 1000
/** As far back as it looks for them. */
const longestMs: Milliseconds = 10_000
/** A count that is off by so many standard deviations of chance (Poisson: its square root) is no chance. */
const deviations = 4
const fewest = 4
/** Looked at together they show what creeps; then less is enough. */
const recentTicks = 4
const creepDeviations = 2.5

/**
 * How many requests a second come, from counts by the tick. Of what comes steadily it is the mean of a second, of what comes
 * seldom that of up to ten; after a jump that chance does not explain, only what came since counts.
 */
export class DemandMeter {
  readonly #counts = new Float64Array(slots)
  readonly #spans = new Float64Array(slots)
  #used = 0
  #next = 0
  #told = 0

  /** So many have come in the last `ms`. Returns whether that is another demand than the one told last. */
  tick(count: number, ms: Milliseconds): boolean {
    if (ms <= 0) return false
    const jumped = this.#isOff(count, ms, deviations)
    if (jumped) this.#used = 0
    this.#counts[this.#next] = count
    this.#spans[this.#next] = ms
    this.#next = (this.#next + 1) % slots
    this.#used = Math.min(slots, this.#used + 1)
    return jumped
  }

  /** Whether demand has crept away from what was told last: then only the last few ticks count. */
  creeps(): boolean {
    const ticks = Math.min(recentTicks, this.#used)
    let count = 0
    let ms = 0
    for (let back = 1; back <= ticks; back++) {
      const slot = (this.#next - back + slots) % slots
      count += this.#counts[slot] ?? 0
      ms += this.#spans[slot] ?? 0
    }
    if (!this.#isOff(count, ms, creepDeviations)) return false
    this.#used = ticks
    return true
  }

  #isOff(count: number, ms: Milliseconds, by: number): boolean {
    const expected = (this.#told * ms) / 1000
    return Math.abs(count - expected) > Math.max(fewest, by * Math.sqrt(expected))
  }

  /** Requests a second as they come now; compared with what comes from now on. */
  tell(): number {
    let count = 0
    let ms = 0
    for (let back = 1; back <= this.#used; back++) {
      if (ms >= longestMs || (ms >= shortestMs && count >= enough)) break
      const slot = (this.#next - back + slots) % slots
      count += this.#counts[slot] ?? 0
      ms += this.#spans[slot] ?? 0
    }
    this.#told = ms === 0 ? 0 : (count * 1000) / ms
    return this.#told
  }
}
