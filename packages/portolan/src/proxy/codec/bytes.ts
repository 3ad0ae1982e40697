/** Octets that the grammar of HTTP/1.1 names, and one table a character class: a byte costs one load. */

export const CR = 0x0d
export const LF = 0x0a
export const SP = 0x20
export const HTAB = 0x09
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const COMMA = 0x2c
export const SLASH = 0x2f
export const ONE = 0x31
export const ASTERISK = 0x2a

function table(entry: (code: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => entry(code))
}

function isAlphanumeric(code: number): boolean {
  return /[0-9A-Za-z]/.test(String.fromCharCode(code))
}

/**
 * The lower-case form of a token character (RFC 9110 section 5.6.2), 0 for everything else. `_` folds into `-`, since
 * CGI-like upstreams can't tell the two apart; what is equal only by that folding is a look-alike.
 */
export const foldedToken: Uint8Array = table(code => {
  const char = String.fromCharCode(code)
  if (char === '_') return 0x2d
  if (isAlphanumeric(code) || "!#$%&'*+-.^`|~".includes(char)) return char.toLowerCase().charCodeAt(0)
  return 0
})

/** 1 for HTAB, SP, VCHAR and obs-text: all that a field value may contain (RFC 9110 section 5.5). */
export const isValueByte: Uint8Array = table(code => (code === HTAB || (code >= SP && code !== 0x7f) ? 1 : 0))

/**
 * 1 for what a request target may contain. More than RFC 3986 allows (`|`, `{`, `"` … do travel unescaped), but
 * no white space, control, non-ASCII byte or fragment.
 */
export const isTargetByte: Uint8Array = table(code => (code > SP && code < 0x7f && code !== 0x23 ? 1 : 0))

/** 1 for what a host with an optional port may contain; `,` and `@` are left out on purpose. */
export const isHostByte: Uint8Array = table(code =>
  isAlphanumeric(code) || "-._~%!$&'()*+;=:[]".includes(String.fromCharCode(code)) ? 1 : 0,
)

/** The value of a hex digit, 255 for everything else. */
export const hexValue: Uint8Array = table(code => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())
  return digit < 0 ? 255 : digit
})

/** Whether the bytes are `text`, which must be lower-case, whatever their own case. */
export function equalsFolded(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[from + i] as number
    const folded = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    if (folded !== text.charCodeAt(i)) return false
  }
  return true
}

/** The bytes as text, one character a byte. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
}
