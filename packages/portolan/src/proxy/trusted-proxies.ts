import { BlockList, isIP } from 'node:net'
import { Fault, formatIp, mappedIpv4, parseIp } from '@portolan/core'

/** Whose X-Forwarded-* are believed. */
export interface TrustedProxies {
  includes(address: string): boolean
}

/**
 * Reads IPs and CIDR blocks (`10.0.0.0/8`, `::1`).
 * @throws Fault `config_invalid`
 */
export function parseTrustedProxies(entries: readonly string[]): TrustedProxies {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', length] = entry.split('/')
    const family = isIP(address)
    const bits = family === 4 ? 32 : 128
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
    if (family === 0 || !(prefix <= bits) || entry.split('/').length > 2) {
      throw new Fault('config_invalid', `"${entry.slice(0, 80)}" is neither an IP address nor a CIDR block`, {
        source: 'caller',
        hint: 'write 10.0.0.5, 10.0.0.0/8 or fd00::/8',
      })
    }
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    includes(address) {
      const family = isIP(address)
      return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
    },
  }
}

/** Those that can be read: a newer registry may know forms that we do not, and what is unknown is not trusted. */
export function knownNetworks(entries: readonly string[]): readonly string[] {
  return entries.filter(entry => {
    try {
      return parseTrustedProxies([entry]) !== undefined
    } catch {
      return false
    }
  })
}

/** A socket's peer as people write it: without zone id, and as IPv4 where a dual-stack listener maps it into IPv6. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%')
  const ip = parseIp(bare)
  if (ip === undefined || ip.family === 4) return bare
  const mapped = mappedIpv4(ip)
  return formatIp(mapped ?? ip)
}
