import type { Endpoint } from '../picker.ts'

/** Translates the endpoints that a request has tried into indices, without allocating on the way. */
export class TriedIndex {
  readonly #endpoints: readonly Endpoint[]
  readonly #found: number[] = []
  /** Made by the first retry: most sets are followed by the next before there is one. */
  #indexOf: ReadonlyMap<Endpoint, number> | undefined

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints
  }

  /** The indices of `tried`, ascending and distinct; those of no known endpoint are dropped. Valid until the next call. */
  indices(tried: readonly Endpoint[]): readonly number[] {
    this.#indexOf ??= new Map(this.#endpoints.map((endpoint, index) => [endpoint, index]))
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
