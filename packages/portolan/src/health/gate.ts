import { Fifo } from './fifo.ts'

/** Something that waits for a place and then begins. */
export interface Entrant {
  /** False: it is not wanted any more and takes no place. */
  begin(): boolean
}

/**
 * At most so many begin in one turn of the event loop, however many places are free. Node accepts one connection a turn
 * (libuv 1.45 and later): a turn that begins hundreds, and one that reads hundreds of answers, keeps all others waiting.
 */
export const perTurn = 16

/** Of so many places that become free, one goes to those who are in no hurry. */
const patience = 4

/**
 * Lets at most `most` in at a time, in the order in which they came. Those in a hurry go first, but for every fourth
 * place: so a service of which all instances are suspect does not keep the others from being tested.
 */
export class Gate {
  #most: number
  readonly #nextTurn: (run: () => void) => void
  /** How many may begin in this turn still. */
  #left = perTurn
  #isWaiting = false
  readonly #hurried = new Fifo<Entrant>()
  readonly #patient = new Fifo<Entrant>()
  #inside = 0
  #turn = 0
  #isAdmitting = false

  /** @param nextTurn runs something once the sockets that are ready now have been served */
  constructor(most: number, nextTurn: (run: () => void) => void) {
    this.#most = most
    this.#nextTurn = nextTurn
  }

  /** Whoever is inside already stays. */
  limit(most: number): void {
    this.#most = most
    this.#admit()
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#hurried.size + this.#patient.size
  }

  enter(entrant: Entrant, isUrgent: boolean): void {
    const queue = isUrgent ? this.#hurried : this.#patient
    queue.push(entrant)
    this.#admit()
  }

  /** One that had begun is done. */
  leave(): void {
    this.#inside--
    this.#admit()
  }

  #admit(): void {
    // One that is done as soon as it begins leaves within this loop: that goes on, instead of another beginning in it.
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    try {
      while (this.#inside < this.#most && this.#left > 0) {
        const next = this.#next()
        if (next === undefined) return
        this.#inside++
        if (next.begin()) this.#began()
        else this.#inside--
      }
    } finally {
      this.#isAdmitting = false
    }
  }

  #began(): void {
    this.#left--
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#nextTurn(() => {
      this.#isWaiting = false
      this.#left = perTurn
      this.#admit()
    })
  }

  #next(): Entrant | undefined {
    this.#turn = (this.#turn + 1) % patience
    if (this.#turn === 0) return this.#patient.shift() ?? this.#hurried.shift()
    return this.#hurried.shift() ?? this.#patient.shift()
  }
}
