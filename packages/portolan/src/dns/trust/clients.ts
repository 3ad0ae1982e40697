import { type AddressBlock, isWithin, readClientAddress } from './networks.ts'

/** What there is to know of a client by its address alone. */
export interface Client {
  readonly trusted: boolean
  /** 4 or 16; none where the address was none. */
  readonly bytes: Uint8Array
}

/** In each of two generations. */
const mostKnown = 2048
const nobody: Client = { trusted: false, bytes: new Uint8Array(0) }

/**
 * Remembers what addresses mean, since it is asked for every message. Bounded: when one generation of them is full it becomes
 * the old one, and who has not been seen since is forgotten with the one before.
 */
export class Clients {
  readonly #networks: readonly AddressBlock[]
  #young = new Map<string, Client>()
  #old = new Map<string, Client>()

  constructor(networks: readonly AddressBlock[]) {
    this.#networks = networks
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  at(address: string): Client {
    return this.#young.get(address) ?? this.#remember(address, this.#old.get(address) ?? this.#read(address))
  }

  #remember(address: string, client: Client): Client {
    if (this.#young.size >= mostKnown) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(address, client)
    return client
  }

  #read(address: string): Client {
    const bytes = readClientAddress(address)
    return bytes === undefined
      ? nobody
      : { trusted: this.#networks.some(network => isWithin(network, bytes)), bytes }
  }
}
