import { canonicalIp, Fault, isNobodys } from '@portolan/core'

/** What one registration may hold, and how many of them. Nothing that a peer can grow is without a bound. */
export const limits = {
  name: 128,
  addresses: 8,
  ports: 32,
  host: 253,
  label: 128,
  tags: 64,
  tag: 256,
  metadataEntries: 64,
  metadataKey: 128,
  /** Bytes of one metadata value. */
  metadataValue: 4096,
  causes: 64,
  /** Of one instance, that somebody waits for at the same time. */
  drains: 32,
  /** Characters of a cause's or an override's reason; what is longer is cut. */
  reason: 1024,
} as const

/** A registration, or a part of one, that is not what it has to be. `field` names the place: `ports[1].name`. */
export function invalid(field: string, problem: string, hint?: string): Fault {
  return new Fault('invalid_request', `${field} ${problem}`, {
    source: 'caller',
    ...(hint === undefined ? {} : { hint }),
  })
}

/** A value as an error message shows it, never longer than a line. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  // Not written out: a peer nests as deep as its megabyte allows, and JSON.stringify as deep as the stack.
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const nameShape = /^[A-Za-z0-9._-]{1,128}$/

/** @throws Fault `invalid_request` */
export function checkName(value: unknown, field: string): string {
  if (typeof value === 'string' && nameShape.test(value) && value !== '.' && value !== '..') return value
  if (value === undefined) throw invalid(field, 'is missing')
  throw invalid(field, `is ${shown(value)}`, '1 to 128 characters of A-Z a-z 0-9 . _ -, and not . or ..')
}

/** @throws Fault `invalid_request` */
export function checkText(value: unknown, field: string, longest: number): string {
  if (typeof value !== 'string') throw invalid(field, `is ${shown(value)} and must be a text`)
  if (value.length > longest) throw invalid(field, `has ${value.length} characters; ${longest} at most`)
  return value
}

const hostShape = /^[A-Za-z0-9._:%[\]-]+$/

/** It ends up in Host headers and TLS handshakes: no line breaks, no spaces. @throws Fault `invalid_request` */
export function checkHost(value: unknown, field: string): string {
  const host = checkText(value, field, limits.host)
  if (hostShape.test(host)) return host
  throw invalid(field, `is ${shown(host)} and must be the name of a host`, 'as box-1.shop.example')
}

/** The one spelling of an IP address. @throws Fault `invalid_request` */
export function checkAddress(value: unknown, field: string): string {
  const address = typeof value === 'string' ? canonicalIp(value) : undefined
  if (address !== undefined && isNobodys(address)) {
    throw invalid(field, `is ${address}, where nobody can be called`, 'name an address that callers reach')
  }
  if (address !== undefined) return address
  throw invalid(
    field,
    `is ${shown(value)} and must be an IP address`,
    'as 10.0.0.5 or fd00::5, no brackets, no port',
  )
}

/** @throws Fault `invalid_request` */
export function checkPortNumber(value: unknown, field: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value
  throw invalid(field, `is ${shown(value)} and must be a whole number from 1 to 65535`)
}

/** @throws Fault `invalid_request` */
export function checkArray(value: unknown, field: string, most: number): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(field, `is ${shown(value)} and must be a list`)
  if (value.length > most) throw invalid(field, `has ${value.length} entries; ${most} at most`)
  return value
}
