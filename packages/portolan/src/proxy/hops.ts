import type { Hop } from './codec/codec.ts'
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts'

const maxKept = 1024

/** What upstreams are told of a client connection, by the client's address: few addresses open most connections. */
export class Hops {
  readonly #trusted: TrustedProxies
  readonly #via: string | undefined
  readonly #byAddress = new Map<string, Hop>()

  constructor(trusted: TrustedProxies, via: string | undefined) {
    this.#trusted = trusted
    this.#via = via
  }

  of(address: string): Hop {
    const known = this.#byAddress.get(address)
    if (known !== undefined) return known
    if (this.#byAddress.size >= maxKept) this.#byAddress.clear()
    const hop = this.#make(address)
    this.#byAddress.set(address, hop)
    return hop
  }

  #make(address: string): Hop {
    const peer = plainAddress(address)
    return {
      peer,
      trusted: this.#trusted.includes(peer),
      scheme: 'http',
      forwarded: Buffer.from(`X-Forwarded-For: ${peer}\r\nX-Forwarded-Proto: http\r\n`, 'latin1'),
      ...(this.#via === undefined ? {} : { via: this.#via }),
    }
  }
}
