/** A connection, as far as who may stay is concerned. */
export interface Guest {
  /** By what its client is known. */
  readonly client: string
  /** Whether something is being done for it: then it does not give way. */
  readonly isBusy: boolean
  /** Whether it has asked just now: then it does not give way to another of the same client. */
  readonly isLively: boolean
}

/**
 * Who is there, the longest idle first. A newcomer always finds a place, but for the busy: refusing him instead would let
 * whoever opens all connections keep everybody else out. Within one client that has all that it may have it is different:
 * were those that it uses to give way to each other, it would get nothing done.
 */
export class Room<G extends Guest> {
  readonly #most: number
  readonly #mostPerClient: number
  readonly #guests = new Set<G>()
  readonly #byClient = new Map<string, Set<G>>()
  /** How many clients have so many connections. */
  readonly #clientsWith: number[] = [0]

  constructor(most: number, mostPerClient: number) {
    this.#most = most
    this.#mostPerClient = mostPerClient
  }

  get size(): number {
    return this.#guests.size
  }

  [Symbol.iterator](): Iterator<G> {
    return this.#guests[Symbol.iterator]()
  }

  /**
   * Who has to leave before another connection of `client` can enter; `undefined`: nobody, there is a place. `full`: nobody
   * who might leave can.
   */
  inTheWayOf(client: string): G | 'full' | undefined {
    const own = this.#byClient.get(client)
    if (own !== undefined && own.size >= this.#mostPerClient) {
      const longestIdle = idle(own)
      return longestIdle === undefined || longestIdle.isLively ? 'full' : longestIdle
    }
    if (this.#guests.size < this.#most) return undefined
    return idle(this.#guests, this.#clientsWith.length - 1, this.#byClient) ?? idle(this.#guests) ?? 'full'
  }

  enter(guest: G): void {
    this.#guests.add(guest)
    let own = this.#byClient.get(guest.client)
    if (own === undefined) {
      own = new Set()
      this.#byClient.set(guest.client, own)
    }
    own.add(guest)
    this.#moved(own.size - 1, own.size)
  }

  /** It has done something that counts: from now on it is the one that has been idle for the shortest time. */
  stir(guest: G): void {
    if (!this.#guests.delete(guest)) return
    this.#guests.add(guest)
    const own = this.#byClient.get(guest.client)
    own?.delete(guest)
    own?.add(guest)
  }

  leave(guest: G): void {
    if (!this.#guests.delete(guest)) return
    const own = this.#byClient.get(guest.client)
    if (own === undefined) return
    own.delete(guest)
    if (own.size === 0) this.#byClient.delete(guest.client)
    this.#moved(own.size + 1, own.size)
  }

  /** Keeps the list so short that its last place is how many the client has that has most. */
  #moved(from: number, to: number): void {
    const counts = this.#clientsWith
    counts[to] = (counts[to] ?? 0) + 1
    counts[from] = (counts[from] ?? 0) - 1
    counts[0] = 0
    while (counts.length > 1 && counts.at(-1) === 0) counts.pop()
  }
}

/** The first that is not busy, of clients with `having` connections if that is said. */
function idle<G extends Guest>(
  guests: Iterable<G>,
  having?: number,
  byClient?: ReadonlyMap<string, ReadonlySet<G>>,
): G | undefined {
  for (const guest of guests) {
    if (guest.isBusy) continue
    if (having === undefined || byClient?.get(guest.client)?.size === having) return guest
  }
  return undefined
}
