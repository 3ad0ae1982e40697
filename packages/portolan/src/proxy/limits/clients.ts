import { mappedIpv4, parseIp } from '@portolan/core'

/** Connections by client: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets. */
export class Clients {
  readonly #open = new Map<string, number>()

  /**
   * Counts one more connection of the client at `address`, unless it has `most` already.
   * @returns by what to {@link leave}; `undefined` = one too many
   */
  enter(address: string, most: number): string | undefined {
    const client = clientOf(address)
    const open = this.#open.get(client) ?? 0
    if (open >= most) return undefined
    this.#open.set(client, open + 1)
    return client
  }

  leave(client: string): void {
    const open = (this.#open.get(client) ?? 0) - 1
    if (open > 0) this.#open.set(client, open)
    else this.#open.delete(client)
  }

  /** Clients that are counted. */
  get size(): number {
    return this.#open.size
  }
}

function clientOf(address: string): string {
  const ip = parseIp(address)
  if (ip === undefined || ip.family === 4 || mappedIpv4(ip) !== undefined) return address
  return ip.groups.slice(0, 4).join(':')
}
