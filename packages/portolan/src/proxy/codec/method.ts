/** The methods whose meaning a proxy must know; every other token is `other` and travels as it came. */
export type Method =
  | 'GET'
  | 'HEAD'
  | 'POST'
  | 'PUT'
  | 'DELETE'
  | 'OPTIONS'
  | 'TRACE'
  | 'CONNECT'
  | 'PATCH'
  | 'other'

const byLength: readonly (readonly Method[])[] = [
  [],
  [],
  [],
  ['GET', 'PUT'],
  ['POST', 'HEAD'],
  ['PATCH', 'TRACE'],
  ['DELETE'],
  ['OPTIONS', 'CONNECT'],
]

/** The method at [from, to). Methods are case-sensitive (RFC 9110 section 9.1): `get` is `other`. */
export function methodAt(bytes: Uint8Array, from: number, to: number): Method {
  const candidates = byLength[to - from]
  if (candidates === undefined) return 'other'
  for (const candidate of candidates) {
    let i = 0
    while (i < candidate.length && bytes[from + i] === candidate.charCodeAt(i)) i++
    if (i === candidate.length) return candidate
  }
  return 'other'
}

/** Whether doing it twice is as good as doing it once (RFC 9110 section 9.2.2). */
export function isIdempotent(method: Method): boolean {
  return method !== 'POST' && method !== 'PATCH' && method !== 'CONNECT' && method !== 'other'
}
