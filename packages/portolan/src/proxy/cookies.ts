import { equalsFolded, latin1, type RequestHead } from './codec/codec.ts'

const HTAB = 0x09
const SP = 0x20
const SEMICOLON = 0x3b
const EQUALS = 0x3d

/**
 * The value of the first cookie of that name that `accept` takes, in one walk over all Cookie fields: pairs as browsers
 * write them (RFC 6265 section 4.2.1), whatever else stands between semicolons. Names are compared to the letter, values
 * come as they are written, quotes and all; nothing is copied but values of that name.
 */
export function findCookie(
  bytes: Uint8Array,
  { fields }: RequestHead,
  name: string,
  accept: (value: string) => boolean,
): string | undefined {
  for (let index = 0; index < fields.count; index++) {
    if (!equalsFolded(bytes, fields.lineStart(index), fields.nameEnd(index), 'cookie')) continue
    const to = fields.valueEnd(index)
    let at = fields.valueStart(index)
    while (at < to) {
      const end = endOfPair(bytes, at, to)
      const from = startOfValue(bytes, at, end, name)
      if (from >= 0) {
        const value = latin1(bytes, from, endOfText(bytes, from, end))
        if (accept(value)) return value
      }
      at = end + 1
    }
  }
  return undefined
}

function endOfPair(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== SEMICOLON) at++
  return at
}

/** Where the value of the pair in bytes[from, to) begins, or -1 when it is not of that name. */
function startOfValue(bytes: Uint8Array, from: number, to: number, name: string): number {
  let at = afterBlanks(bytes, from, to)
  if (to - at <= name.length) return -1
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return -1
  at = afterBlanks(bytes, at + name.length, to)
  return at < to && bytes[at] === EQUALS ? afterBlanks(bytes, at + 1, to) : -1
}

function afterBlanks(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && isBlank(bytes[at])) at++
  return at
}

function endOfText(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  while (end > from && isBlank(bytes[end - 1])) end--
  return end
}

function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB
}
