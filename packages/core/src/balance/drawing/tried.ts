import type { Endpoint } from '../picker.ts'

/** Translates the endpoints that a request has tried into indices, without allocating on the way. */
export class TriedIndex {
  readonly #indexOf: ReadonlyMap<Endpoint, number>
  readonly #found: number[] = []

  constructor(endpoints: readonly Endpoint[]) {
    this.#indexOf = new Map(endpoints.map((endpoint, index) => [endpoint, index]))
  }

  /** The indices of `tried`, ascending and distinct; those of no known endpoint are dropped. Valid until the next call. */
  indices(tried: readonly Endpoint[]): readonly number[] {
    const found = this.#found
    found.length = 0
    for (const endpoint of tried) {
      const index = this.#indexOf.get(endpoint)
      if (index !== undefined) insert(found, index)
    }
    return found
  }
}

/** Insertion sort: a request tries two or three endpoints, seldom more. */
function insert(ascending: number[], index: number): void {
  if (ascending.includes(index)) return
  let place = ascending.length
  ascending.push(index)
  for (; place > 0; place--) {
    const before = ascending[place - 1] ?? 0
    if (before < index) break
    ascending[place] = before
  }
  ascending[place] = index
}
