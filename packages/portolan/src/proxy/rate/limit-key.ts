import { createHash } from 'node:crypto'
import { parseIp } from '@portolan/core'
import { equalsFolded, type Hop, latin1 } from '../codec/codec.ts'
import type { RequestContext } from '../filters/filter.ts'

/** Whose limit a request counts against. Empty: that of all who say nothing. */
export type LimitKey = (request: RequestContext) => string

/** Longer ones are kept as their digest: a table of keys must not grow by what clients write. */
const longest = 64

/** @param by `client` or `header:NAME`; anything else gives no keys */
export function limitKey(by: string): LimitKey | undefined {
  if (by === 'client') return clientKey()
  if (!by.startsWith('header:')) return undefined
  const name = by.slice('header:'.length).toLowerCase()
  return request => bounded(request.header(name) ?? '')
}

/** The client's address, as the last trusted proxy names it; of IPv6 the network, which one client has all of. */
function clientKey(): LimitKey {
  const byHop = new WeakMap<Hop, string>()
  return request => {
    const { hop } = request
    if (hop === undefined) return ''
    const named = hop.trusted ? lastForwarded(request) : ''
    if (named !== '') return bounded(network(named))
    let key = byHop.get(hop)
    if (key === undefined) {
      key = network(hop.peer)
      byHop.set(hop, key)
    }
    return key
  }
}

function network(address: string): string {
  const ip = address.includes(':') ? parseIp(address) : undefined
  return ip?.family === 6 ? `${ip.groups.slice(0, 4).join(':')}::/64` : address
}

/** The last entry of the last `X-Forwarded-For`: what the trusted proxy itself has seen. */
function lastForwarded({ bytes, head }: RequestContext): string {
  const { fields } = head
  for (let index = fields.count - 1; index >= 0; index--) {
    if (!equalsFolded(bytes, fields.lineStart(index), fields.nameEnd(index), 'x-forwarded-for')) continue
    const value = latin1(bytes, fields.valueStart(index), fields.valueEnd(index))
    return value.slice(value.lastIndexOf(',') + 1).trim()
  }
  return ''
}

function bounded(key: string): string {
  return key.length <= longest ? key : createHash('sha256').update(key, 'latin1').digest('base64url')
}
