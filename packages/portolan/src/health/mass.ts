import { forgiven, type Milliseconds } from '@portolan/core'
import { moreOf, type Run, type Subject } from './subject.ts'

const togetherMs: Milliseconds = 1000

interface Out {
  readonly run: Run
  readonly at: Milliseconds
}

/**
 * The checks of one service that took their instances out within the last second. When those are more than half of
 * its instances, the fault is more likely with what they all need, or with the network, than with each of them: then
 * it counts nothing towards flap damping.
 *
 * Each costs O(1) in the mean: it is when ten thousand go together that there is no time for more.
 */
export class RecentOuts {
  /** In order of time. */
  #outs: Out[] = []
  /** Those before this index were longer ago. */
  #first = 0
  /** Those before this index are forgiven. */
  #unforgiven = 0
  /** How many of the recent ones there are of each instance. */
  readonly #instances = new Map<Subject, number>()

  /** `size` = the instances of the service. */
  add(run: Run, size: number, now: Milliseconds): void {
    this.#forgetBefore(now - togetherMs)
    this.#outs.push({ run, at: now })
    this.#instances.set(run.subject, (this.#instances.get(run.subject) ?? 0) + 1)
    const instances = this.#instances.size
    if (instances < 2 || instances <= size / 2) return
    for (const out of this.#outs.slice(Math.max(this.#first, this.#unforgiven))) {
      const more = moreOf(out.run)
      more.penalty = forgiven(more.penalty, now)
    }
    this.#unforgiven = this.#outs.length
  }

  #forgetBefore(time: Milliseconds): void {
    for (;;) {
      const oldest = this.#outs[this.#first]
      if (oldest === undefined || oldest.at >= time) break
      const { subject } = oldest.run
      const others = (this.#instances.get(subject) ?? 0) - 1
      if (others > 0) this.#instances.set(subject, others)
      else this.#instances.delete(subject)
      this.#first++
    }
    if (this.#first <= this.#outs.length / 2) return
    this.#outs = this.#outs.slice(this.#first)
    this.#unforgiven = Math.max(0, this.#unforgiven - this.#first)
    this.#first = 0
  }
}
