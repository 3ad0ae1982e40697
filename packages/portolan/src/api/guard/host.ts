import { isIP } from 'node:net'

/** A Host header, taken apart. `name` is lower-case, without brackets, port and final dot. */
interface Authority {
  readonly name: string
  readonly port: string
}

const bracketed = /^\[([0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._~%-]{1,32})?)\](?::(\d{1,5}))?$/
const plain = /^([A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?$/

function parseAuthority(text: string): Authority | undefined {
  const match = bracketed.exec(text) ?? plain.exec(text)
  if (match?.[1] === undefined) return undefined
  return { name: match[1].toLowerCase().replace(/\.$/, ''), port: match[2] ?? '' }
}

/**
 * Whether a request's Host may reach us: an IP literal, `localhost`, or a name that the configuration lists.
 *
 * This is the guard against DNS rebinding: a page of evil.example whose name an attacker suddenly points at
 * 127.0.0.1 still sends `Host: evil.example`. IP literals are safe, since no name was resolved.
 */
export function isAllowedHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return false
  const authority = parseAuthority(host)
  if (authority === undefined) return false
  if (host.startsWith('[')) return isIP(authority.name.replace(/%.*$/, '')) === 6
  return (
    isIP(authority.name) === 4 ||
    authority.name === 'localhost' ||
    names.some(name => name.toLowerCase() === authority.name)
  )
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * Whether a page may call us: no Origin at all (not a browser), our own pages (the Origin names the Host that was
 * asked), or a configured origin such as `https://console.example`. Anything else is foreign, `null` included.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  origins: readonly string[],
): boolean {
  if (origin === undefined || origins.includes(origin)) return true
  const page = /^(https?:)\/\/([^/?#@\\\s]+)$/.exec(origin)
  const from = page?.[2] === undefined ? undefined : parseAuthority(page[2])
  const asked = host === undefined ? undefined : parseAuthority(host)
  if (page?.[1] === undefined || from === undefined || asked === undefined) return false
  const usual = defaultPorts[page[1]] ?? ''
  return from.name === asked.name && (from.port || usual) === (asked.port || usual)
}
