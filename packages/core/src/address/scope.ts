import { type IpAddress, type Ipv4Address, type Ipv6Address, mappedIpv4, parseIp } from './ip.ts'

/** Whether traffic to it stays on this machine: 127.0.0.0/8, `::1`. */
export function isLoopback(address: IpAddress | string): boolean {
  return matches(
    address,
    v4 => v4.bytes[0] === 127,
    v6 => v6.groups[7] === 1 && v6.groups.slice(0, 7).every(group => group === 0),
  )
}

/** Whether it is good on one link only: 169.254.0.0/16 (clouds serve their credentials there), fe80::/10. */
export function isLinkLocal(address: IpAddress | string): boolean {
  return matches(
    address,
    v4 => v4.bytes[0] === 169 && v4.bytes[1] === 254,
    v6 => ((v6.groups[0] ?? 0) & 0xffc0) === 0xfe80,
  )
}

/** Whether it means "any address": `0.0.0.0`, `::`. Good for listening, never for calling. */
export function isUnspecified(address: IpAddress | string): boolean {
  return matches(
    address,
    v4 => v4.bytes.every(byte => byte === 0),
    v6 => v6.groups.every(group => group === 0),
  )
}

/** Whether no machine can have it: 0.0.0.0/8, multicast (224.0.0.0/4, ff00::/8), 255.255.255.255, `::`. */
export function isNobodys(address: IpAddress | string): boolean {
  return matches(
    address,
    ({ bytes }) => {
      const [first = 0] = bytes
      return first === 0 || (first >= 224 && first < 240) || bytes.every(byte => byte === 255)
    },
    ({ groups }) => (groups[0] ?? 0) >= 0xff00 || groups.every(group => group === 0),
  )
}

/** False for text that is no address. IPv4-mapped addresses count as what they map. */
function matches(
  address: IpAddress | string,
  v4: (ip: Ipv4Address) => boolean,
  v6: (ip: Ipv6Address) => boolean,
): boolean {
  const ip = typeof address === 'string' ? parseIp(address) : address
  if (ip === undefined) return false
  if (ip.family === 4) return v4(ip)
  const mapped = mappedIpv4(ip)
  return mapped === undefined ? v6(ip) : v4(mapped)
}
