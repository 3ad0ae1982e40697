import { canonicalIp, Fault, type HostPort, parseHostPort, parseIp } from '@portolan/core'

const dnsPort = 53

/**
 * Reads the address of a resolver: `10.0.0.2`, `fd00::2`, `10.0.0.2:5353`, `[fd00::2]:53`.
 * @throws Fault `invalid_request`
 */
export function parseResolverAddress(text: string): HostPort {
  const host = canonicalIp(text)
  if (host !== undefined) return { host, port: dnsPort }
  const address = text.includes(':') ? parseHostPort(text) : undefined
  if (address !== undefined && parseIp(address.host) !== undefined) return address
  throw new Fault(
    'invalid_request',
    `${JSON.stringify(text.slice(0, 80))} is not the address of a resolver`,
    {
      source: 'caller',
      hint: 'write its IP address, as 10.0.0.2 or [fd00::2]:5353 (nobody could look up its name), system or none',
    },
  )
}
