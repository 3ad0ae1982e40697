import type { Milliseconds } from '@portolan/core'

/** Something that is due some time. The links belong to the wheel that it is in, and to one wheel at a time. */
export interface Timed {
  /** Set by the wheel. */
  at: Milliseconds
  previous: Timed | undefined
  next: Timed | undefined
  /** It is due. May plan itself, or others, anew. */
  ring(now: Milliseconds): void
}

/**
 * A hashed timing wheel (Varghese and Lauck, SOSP 1987, scheme 6): planning, calling off and ringing cost O(1),
 * whatever their number. What is due later than one turn waits in its slot for as many turns.
 *
 * It allocates nothing: whoever is due is its own link. That matters, since all checks of all instances are in here
 * all the time.
 */
export class Wheel {
  readonly #tickMs: Milliseconds
  readonly #slots: Timed[]
  /** Everything that is due up to this tick has been taken out. */
  #tick: number
  #size = 0

  /** `now` is where its time begins; `slots` a power of two. */
  constructor(tickMs: Milliseconds, now: Milliseconds, slots = 4096) {
    this.#tickMs = tickMs
    this.#tick = Math.floor(now / tickMs)
    this.#slots = Array.from({ length: slots }, ringHead)
  }

  get size(): number {
    return this.#size
  }

  /** Plans anew what is planned already. What is due in the past rings at the next tick; nothing rings too early. */
  plan(timed: Timed, at: Milliseconds): void {
    this.callOff(timed)
    const tick = Math.max(Math.ceil(at / this.#tickMs), this.#tick + 1)
    timed.at = tick * this.#tickMs
    const slot = this.#slots[tick & (this.#slots.length - 1)] as Timed
    insertBefore(slot, timed)
    this.#size++
  }

  /** Nothing happens to what is not planned. */
  callOff(timed: Timed): void {
    if (timed.next === undefined) return
    unlink(timed)
    this.#size--
  }

  /** How many ticks away the next slot is in which anything waits, `most` at most. */
  ticksToNext(most: number): number {
    for (let ticks = 1; ticks < most; ticks++) {
      const slot = this.#slots[(this.#tick + ticks) & (this.#slots.length - 1)] as Timed
      if (slot.next !== slot) return ticks
    }
    return most
  }

  /** Moves all that is due by `now` to the end of `due`, in order of their ticks. They count until they ring. */
  collect(now: Milliseconds, due: DueList): void {
    const last = Math.floor(now / this.#tickMs)
    // After a long pause, one turn has seen every slot.
    const from = Math.max(this.#tick + 1, last - this.#slots.length + 1)
    for (let tick = from; tick <= last; tick++) {
      const slot = this.#slots[tick & (this.#slots.length - 1)] as Timed
      for (let timed = slot.next as Timed; timed !== slot; ) {
        const next = timed.next as Timed
        if (timed.at <= now) {
          unlink(timed)
          insertBefore(due.head, timed)
        }
        timed = next
      }
    }
    this.#tick = Math.max(this.#tick, last)
  }

  /** Rings what was collected; what is called off meanwhile does not. */
  ring(due: DueList, now: Milliseconds): void {
    for (let timed = due.head.next as Timed; timed !== due.head; timed = due.head.next as Timed) {
      this.callOff(timed)
      timed.ring(now)
    }
  }
}

/** What has been collected and has not rung. */
export class DueList {
  readonly head: Timed = ringHead()

  get isEmpty(): boolean {
    return this.head.next === this.head
  }
}

/** The place where a circular list begins and ends. */
function ringHead(): Timed {
  const head: Timed = { at: 0, previous: undefined, next: undefined, ring() {} }
  head.previous = head
  head.next = head
  return head
}

function insertBefore(place: Timed, timed: Timed): void {
  timed.previous = place.previous
  timed.next = place
  ;(place.previous as Timed).next = timed
  place.previous = timed
}

function unlink(timed: Timed): void {
  ;(timed.previous as Timed).next = timed.next
  ;(timed.next as Timed).previous = timed.previous
  timed.previous = undefined
  timed.next = undefined
}
