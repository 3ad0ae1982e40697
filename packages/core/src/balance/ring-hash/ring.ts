import { hash32, rehash32 } from '../hashing/hash.ts'

/** What stands on a ring: an id that decides where, and a weight that decides how often. */
export interface Placed {
  readonly id: string
  /** Finite, > 0. */
  readonly weight: number
}

/** Virtual nodes of whoever has about the mean weight, while the ring has room for them. */
export const usualNodes = 160

/** Nobody has more than so many, however much heavier than the rest. */
const mostNodes = 16 * usualNodes
/** A ring has about so many at most: with very many members, each has fewer. */
const ringNodes = 2 ** 19
/** While nodes are sorted, each is one number of 52 bits: its position, then its member's slot. */
const slotLimit = 2 ** 20

interface Member {
  readonly slot: number
  readonly nodes: number
}

/**
 * The ring of consistent hashing: D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997. Everybody stands at
 * as many positions as its weight says; a key belongs to the first one at or after its own position. Positions depend on
 * id and number alone, so that every process has the same ring, and whoever comes or goes takes or leaves its own keys
 * and no others. (Where two stand at one position, which happens to one node in thousands, processes may disagree on it.)
 *
 * A change takes out and merges in: it costs a copy of the ring, and no sorting of what stays.
 */
export class Ring {
  /** Ascending, and by the same place: the slot of the member that stands there. */
  readonly #positions: Uint32Array
  readonly #slots: Uint32Array
  readonly #members: ReadonlyMap<string, Member>

  private constructor(positions: Uint32Array, slots: Uint32Array, members: ReadonlyMap<string, Member>) {
    this.#positions = positions
    this.#slots = slots
    this.#members = members
  }

  static empty(): Ring {
    return new Ring(new Uint32Array(0), new Uint32Array(0), new Map())
  }

  /** All virtual nodes. */
  get size(): number {
    return this.#positions.length
  }

  /** The place of the first node at or after a hash's position; from the last one on it goes round. */
  placeOf(hash: number): number {
    const position = hash >>> 0
    const positions = this.#positions
    let low = 0
    let high = positions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((positions[middle] ?? 0) < position) low = middle + 1
      else high = middle
    }
    return low === positions.length ? 0 : low
  }

  next(place: number): number {
    return place + 1 < this.#positions.length ? place + 1 : 0
  }

  /** The slot of the member whose node stands at `place`. */
  slotAt(place: number): number {
    return this.#slots[place] ?? 0
  }

  /** The member's slot, which it keeps for as long as it stays; `undefined` for strangers. */
  slotOf(id: string): number | undefined {
    return this.#members.get(id)?.slot
  }

  /** By slot, which part of all positions leads to the member: what its share of the keys will be. */
  arcs(): Float64Array {
    const highest = this.#slots.reduce((most, slot) => Math.max(most, slot), -1)
    const arcs = new Float64Array(highest + 1)
    let before = (this.#positions[this.size - 1] ?? 0) - 2 ** 32
    for (let place = 0; place < this.size; place++) {
      const position = this.#positions[place] ?? 0
      const slot = this.slotAt(place)
      arcs[slot] = (arcs[slot] ?? 0) + (position - before) / 2 ** 32
      before = position
    }
    return arcs
  }

  /** The ring of these members. @param placed ids that differ, 2^20 at most */
  changed(placed: readonly Placed[]): Ring {
    const nodesOf = nodesBy(placed)
    const members = new Map<string, Member>()
    const added: Placed[] = []
    for (const each of placed) {
      const known = this.#members.get(each.id)
      if (known !== undefined && known.nodes === nodesOf(each)) members.set(each.id, known)
      else added.push(each)
    }
    if (added.length === 0 && members.size === this.#members.size) return this
    let highest = 0
    for (const { slot } of this.#members.values()) highest = Math.max(highest, slot)
    const taken = new Uint8Array(highest + 1 + placed.length)
    for (const { slot } of members.values()) taken[slot] = 1
    const stays = taken.slice()
    let free = 0
    for (const each of added) {
      while (taken[free] === 1) free++
      members.set(each.id, { slot: free, nodes: nodesOf(each) })
      taken[free] = 1
    }
    return this.#merged(stays, added, members)
  }

  #merged(stays: Uint8Array, added: readonly Placed[], members: ReadonlyMap<string, Member>): Ring {
    const fresh = sortedNodes(added, members)
    let kept = 0
    for (const slot of this.#slots) kept += stays[slot] ?? 0
    const positions = new Uint32Array(kept + fresh.length)
    const slots = new Uint32Array(kept + fresh.length)
    let to = 0
    let next = 0
    const merge = (limit: number): void => {
      for (; next < fresh.length && (fresh[next] ?? 0) < limit; next++, to++) {
        const node = fresh[next] ?? 0
        positions[to] = Math.floor(node / slotLimit)
        slots[to] = node % slotLimit
      }
    }
    for (let place = 0; place < this.#positions.length; place++) {
      const slot = this.#slots[place] ?? 0
      if (stays[slot] !== 1) continue
      const position = this.#positions[place] ?? 0
      if (next < fresh.length) merge(position * slotLimit + slot)
      positions[to] = position
      slots[to++] = slot
    }
    merge(Number.POSITIVE_INFINITY)
    return new Ring(positions, slots, members)
  }
}

/**
 * How many nodes each has. In units of a power of two near the mean weight, and of halves of the usual number where they
 * are very many: so one that comes or goes changes, but for rare steps, nobody else's number.
 */
function nodesBy(placed: readonly Placed[]): (of: Placed) => number {
  const mean = placed.reduce((sum, { weight }) => sum + weight, 0) / placed.length
  const unit = 2 ** Math.round(Math.log2(mean))
  let each = usualNodes
  while (each > 1 && each * placed.length > ringNodes) each = Math.floor(each / 2)
  const most = Math.min(mostNodes, Math.max(each, Math.floor((4 * ringNodes) / placed.length)))
  return ({ weight }) => Math.max(1, Math.min(most, Math.round((each * weight) / unit)))
}

function sortedNodes(added: readonly Placed[], members: ReadonlyMap<string, Member>): Float64Array {
  const own = added.map(({ id }) => ({ hash: hash32(id), ...members.get(id) }))
  const sorted = new Float64Array(own.reduce((sum, { nodes = 0 }) => sum + nodes, 0))
  let to = 0
  for (const { hash, slot = 0, nodes = 0 } of own) {
    for (let node = 0; node < nodes; node++) sorted[to++] = (rehash32(hash, node) >>> 0) * slotLimit + slot
  }
  return sorted.sort()
}
