/** More than this are not kept. */
const mostFree = 256

/**
 * Objects that are costly to make and that nobody uses just now. The last one given is the first one taken: it is still in
 * the processor's cache.
 */
export class FreeList<T> {
  readonly #make: () => T
  readonly #free: T[] = []

  constructor(make: () => T) {
    this.#make = make
  }

  take(): T {
    return this.#free.pop() ?? this.#make()
  }

  /** Takes back what nobody looks at any more. */
  give(item: T): void {
    if (this.#free.length < mostFree) this.#free.push(item)
  }
}
