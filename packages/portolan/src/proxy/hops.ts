import { isDeepStrictEqual } from 'node:util'
import type { Hop } from './codec/codec.ts'
import { parseTrustedProxies, plainAddress, type TrustedProxies } from './trusted-proxies.ts'

const maxKept = 1024

/** What upstreams are told of a client connection, by the client's address: few addresses open most connections. */
export class Hops {
  #trusted: TrustedProxies = parseTrustedProxies([])
  #entries: readonly string[] = []
  readonly #byAddress = new Map<string, Hop>()

  /**
   * Believes these from now on. False: they are those of before.
   * @throws Fault `config_invalid`
   */
  trust(entries: readonly string[]): boolean {
    if (isDeepStrictEqual(entries, this.#entries)) return false
    this.#trusted = parseTrustedProxies(entries)
    this.#entries = entries
    this.#byAddress.clear()
    return true
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
    }
  }
}
