import { Fault } from '../fault/fault.ts'
import { formatIp, parseIp, parseIpv6 } from './ip.ts'

export interface HostPort {
  /** A canonical IP literal without brackets, or a host name in lower case. */
  readonly host: string
  readonly port: number
}

export interface HostPortOptions {
  /** Whether port 0, "any free one", is good: for listening. Default false. */
  readonly anyPort?: boolean
}

// RFC 1123 section 2.1; one final dot marks an absolute name; underscores, since Docker's names have them.
const hostName =
  /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i
const allNumeric = /^[\d.]+$/

/**
 * Reads `10.0.0.5:8080`, `[::1]:8080`, `[fe80::1%eth0]:8080`, `localhost:8080`. The host must be said.
 * @throws Fault `invalid_request`
 */
export function parseHostPort(text: string, options: HostPortOptions = {}): HostPort {
  const { hostText, portText } = split(text)
  return { host: parseHost(hostText, text), port: parsePort(portText, text, options.anyPort === true) }
}

/** The inverse of {@link parseHostPort}: IPv6 literals get their brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether it can be the port of an instance: 1 to 65535. */
export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535
}

function split(text: string): { hostText: string; portText: string } {
  const scheme = /^[a-z]{1,10}:\/\//i.exec(text)?.[0]
  if (scheme !== undefined) {
    throw invalid(text, `an address has no scheme: write only what stands between ${scheme} and the path`)
  }
  if (text.startsWith('[')) {
    const close = text.indexOf(']')
    if (close < 0) throw invalid(text, 'the bracket [ is never closed: write [::1]:8080')
    if (text[close + 1] !== ':')
      throw invalid(text, `the port is missing: write ${clip(text.slice(0, close + 1))}:8080`)
    return { hostText: text.slice(0, close + 1), portText: text.slice(close + 2) }
  }
  const colon = text.lastIndexOf(':')
  if (colon < 0) throw invalid(text, `the port is missing: write ${clip(text) || '127.0.0.1'}:8080`)
  const hostText = text.slice(0, colon)
  // `::1:8080` is itself an IPv6 address, so nobody can tell where the port would start.
  if (hostText.includes(':'))
    throw invalid(text, 'an IPv6 address needs brackets before a port: write [::1]:8080')
  return { hostText, portText: text.slice(colon + 1) }
}

function parseHost(hostText: string, whole: string): string {
  if (hostText === '') {
    throw invalid(
      whole,
      `the host is missing: write 127.0.0.1${clip(whole)} (this machine alone) or 0.0.0.0${clip(whole)}`,
    )
  }
  if (hostText.startsWith('[')) {
    const ip = parseIpv6(hostText.slice(1, -1))
    if (ip === undefined) throw invalid(whole, 'between [ and ] belongs an IPv6 address: write [::1]:8080')
    return formatIp(ip)
  }
  const ip = parseIp(hostText)
  if (ip !== undefined) return formatIp(ip)
  if (allNumeric.test(hostText)) {
    throw invalid(
      whole,
      `${clip(hostText)} is no IPv4 address: four numbers from 0 to 255 without leading zeros`,
    )
  }
  if (!hostName.test(hostText)) throw invalid(whole, 'the host must be an IP address or a host name')
  return hostText.toLowerCase()
}

function parsePort(portText: string, whole: string, anyPort: boolean): number {
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN
  if (isPort(port) || (anyPort && port === 0)) return port
  throw invalid(whole, `the port must be a number from ${anyPort ? 0 : 1} to 65535`)
}

function invalid(text: string, hint: string): Fault {
  return new Fault('invalid_request', `"${clip(text)}" is not a host and port`, {
    source: 'caller',
    hint,
  })
}

/** What somebody sent may be of any length; a message about it may not. */
function clip(text: string): string {
  return text.slice(0, 80)
}
