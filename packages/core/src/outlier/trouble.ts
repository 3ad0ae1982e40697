import type { Trouble } from '../balance/tally.ts'

/** Errors of connecting that speak of this process or its machine, not of the instance. */
const own: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'ENETDOWN',
  'ENETUNREACH',
  'EACCES',
  'EPERM',
])

/** What a failed connection says of an instance, by the error's `code`; undefined = nothing: it was our own fault. */
export function troubleOfConnecting(code: unknown): Trouble | undefined {
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'ETIMEDOUT') return 'timeout'
  return typeof code === 'string' && own.has(code) ? undefined : 'broken'
}

/** The instance says that it has too much to do (RFC 6585 section 4): no failure of its, and no place for more. */
export function isPushback(status: number): boolean {
  return status === 429
}

/** Statuses that speak of the instance rather than of the request. */
export function isFailure(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504)
}
