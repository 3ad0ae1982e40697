import { forgiven, type Milliseconds } from '@portolan/core'
import { moreOf, type Run } from './subject.ts'

const togetherMs: Milliseconds = 1000

/**
 * The checks of one service that took their instances out within the last second. When those are more than half of
 * its instances, the fault is more likely with what they all need, or with the network, than with each of them: then
 * it counts nothing towards flap damping.
 */
export class RecentOuts {
  #outs: { readonly run: Run; readonly at: Milliseconds; forgiven: boolean }[] = []

  /** `size` = the instances of the service. */
  add(run: Run, size: number, now: Milliseconds): void {
    this.#outs = this.#outs.filter(({ at }) => now - at <= togetherMs)
    this.#outs.push({ run, at: now, forgiven: false })
    const instances = new Set(this.#outs.map(out => out.run.subject)).size
    if (instances < 2 || instances <= size / 2) return
    for (const out of this.#outs) {
      if (out.forgiven) continue
      out.forgiven = true
      const more = moreOf(out.run)
      more.penalty = forgiven(more.penalty, now)
    }
  }
}
