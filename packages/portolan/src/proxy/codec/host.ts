import { COLON, isHostByte } from './bytes.ts'

const OPEN = 0x5b
const CLOSE = 0x5d

/** Whether the bytes are `host` or `host:port` (RFC 3986 section 3.2.2), IPv6 literals in brackets; empty is well-formed. */
export function isAuthority(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from
  if (at < to && bytes[at] === OPEN) {
    at++
    while (at < to && isHostByte[bytes[at] as number] === 1 && bytes[at] !== OPEN && bytes[at] !== CLOSE) at++
    if (at === to || bytes[at] !== CLOSE || at === from + 1) return false
    at++
    return at === to || (bytes[at] === COLON && isPort(bytes, at + 1, to))
  }
  while (at < to && bytes[at] !== COLON) {
    const byte = bytes[at] as number
    if (isHostByte[byte] !== 1 || byte === OPEN || byte === CLOSE) return false
    at++
  }
  return at === to || (at > from && isPort(bytes, at + 1, to))
}

/** Digits up to 65535, or nothing: `host:` means the scheme's default port. */
function isPort(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from > 5) return false
  let port = 0
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 65_535
}
