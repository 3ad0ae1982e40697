interface Waiter {
  readonly revision: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** Those who wait for a revision, ordered by it: a change looks at those that it frees, and at no other. */
export class RevisionWaiters {
  #waiting: Waiter[] = []
  #first = 0

  get size(): number {
    return this.#waiting.length - this.#first
  }

  add(revision: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ revision, resolve, reject })
      // Commits resolve nearly in the order of their revisions: the new one seldom has to go further down.
      for (let at = this.#waiting.length - 1; at > this.#first; at--) {
        const [before, last] = [this.#waiting[at - 1], this.#waiting[at]]
        if (before === undefined || last === undefined || before.revision <= last.revision) break
        this.#waiting[at - 1] = last
        this.#waiting[at] = before
      }
    })
  }

  free(revision: number): void {
    for (; this.#first < this.#waiting.length; this.#first++) {
      const waiter = this.#waiting[this.#first]
      if (waiter === undefined || waiter.revision > revision) break
      waiter.resolve()
    }
    if (this.#first * 2 < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#first)
    this.#first = 0
  }

  rejectAll(reason: unknown): void {
    for (const waiter of this.#waiting.slice(this.#first)) waiter.reject(reason)
    this.#waiting = []
    this.#first = 0
  }
}
