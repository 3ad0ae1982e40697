import type { DepartureReason } from '@portolan/core'

interface Touch {
  readonly revision: number
  readonly id: string
  /** Set when the instance left. */
  readonly reason: DepartureReason | undefined
}

/** Touches that are kept for a service however small it is. */
const least = 512

/**
 * Which instances of one service were touched after which revision: enough to bring anybody whose place it still
 * covers up to date, in one step that names each instance once. It holds at most 512 touches and one more for
 * each instance; who lags further behind is better served by a snapshot.
 */
export class History {
  #touches: Touch[] = []
  #horizon: number

  /** Complete after `revision`. */
  constructor(revision: number) {
    this.#horizon = revision
  }

  note(revision: number, id: string, reason: DepartureReason | undefined): void {
    this.#touches.push({ revision, id, reason })
  }

  /** Forgets the oldest of what a service of `size` instances need not keep. Half at a time, so it is cheap. */
  trim(size: number): void {
    const most = least + size
    if (this.#touches.length <= 2 * most) return
    const dropped = this.#touches.length - most
    // A revision is forgotten whole: a place within it could not be served.
    this.#horizon = this.#touches[dropped - 1]?.revision ?? this.#horizon
    this.#touches = this.#touches.slice(dropped)
  }

  /** Every id touched after `revision`, with the reason where it left last; undefined when that is not known. */
  since(revision: number): ReadonlyMap<string, DepartureReason | undefined> | undefined {
    if (revision < this.#horizon) return undefined
    const touched = new Map<string, DepartureReason | undefined>()
    for (let index = this.#touches.length - 1; index >= 0; index--) {
      const touch = this.#touches[index]
      if (touch === undefined || touch.revision <= revision) break
      if (!touched.has(touch.id)) touched.set(touch.id, touch.reason)
    }
    return touched
  }
}
