/**
 * Names on the wire (RFC 1035 sections 3.1 and 4.1.4) and as text: labels joined with dots, without the last dot; '' is
 * the root. A byte that is a dot, a backslash or no visible ASCII character is written `\DDD`, by its decimal value
 * (RFC 1035 section 5.1), and in no other way: so every dot in a text stands between two labels, two names are equal
 * where their texts are, and a label with a dot in it is no name that anybody has.
 */
import { header } from './header.ts'

/** Bytes of a name, the length of each label and the root's included. */
const longestName = 255
const longestLabel = 63
/** A name of so many labels has 255 bytes. Whoever needs more pointers than labels leads us in circles. */
const mostPointers = 127
/** Length bytes from here on are pointers; those between a label's and a pointer's are nobody's (RFC 6891 section 5). */
const pointer = 0xc0

const DOT = 0x2e
const BACKSLASH = 0x5c
const ZERO = 0x30

/** A visible character in lower case; 0 for what is to be escaped. */
const folded = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte <= 0x20 || byte >= 0x7f || byte === DOT || byte === BACKSLASH) return 0
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
})

/** Where a name's text is put together; four characters for a byte are the most. */
const scratch = Buffer.allocUnsafeSlow(longestName * 4)

export interface WireName {
  /** In lower case: ASCII alone has any (RFC 4343). */
  readonly text: string
  /** Behind the name, or behind the first pointer in it. */
  readonly end: number
}

/**
 * Reads the name at `at`. Pointers lead back only: before the name that they are in, to behind the header.
 * @returns undefined for what is no name
 */
export function readName(message: Uint8Array, at: number): WireName | undefined {
  let position = at
  let segment = at
  let end = -1
  let pointers = 0
  let length = 1
  let written = 0
  for (;;) {
    const size = message[position]
    if (size === undefined) return undefined
    if (size === 0) break
    if (size >= pointer) {
      const low = message[position + 1]
      if (low === undefined || ++pointers > mostPointers) return undefined
      const target = ((size - pointer) << 8) | low
      if (target >= segment || target < header.end) return undefined
      if (end < 0) end = position + 2
      position = target
      segment = target
      continue
    }
    length += size + 1
    const next = position + 1 + size
    if (size > longestLabel || length > longestName || next > message.length) return undefined
    if (written > 0) scratch[written++] = DOT
    for (let i = position + 1; i < next; i++) {
      const byte = message[i] as number
      const char = folded[byte] as number
      if (char !== 0) scratch[written++] = char
      else written = writeEscaped(byte, written)
    }
    position = next
  }
  return { text: scratch.toString('latin1', 0, written), end: end < 0 ? position + 1 : end }
}

function writeEscaped(byte: number, at: number): number {
  scratch[at] = BACKSLASH
  scratch[at + 1] = ZERO + Math.floor(byte / 100)
  scratch[at + 2] = ZERO + (Math.floor(byte / 10) % 10)
  scratch[at + 3] = ZERO + (byte % 10)
  return at + 4
}

/**
 * The position behind the name at `at`; -1 where there is none. A pointer ends it and is not followed: for names that
 * don't matter, many of which a message can hold.
 */
export function skipName(message: Uint8Array, at: number): number {
  let position = at
  for (;;) {
    const size = message[position]
    if (size === undefined) return -1
    if (size === 0) return position + 1
    if (size >= pointer) {
      const low = message[position + 1]
      if (low === undefined) return -1
      const target = ((size - pointer) << 8) | low
      return target < at && target >= header.end ? position + 2 : -1
    }
    position += 1 + size
    if (size > longestLabel || position - at >= longestName) return -1
  }
}

/** Whether a text is a name that can be written. */
export function isName(text: string): boolean {
  if (text === '') return true
  let length = 1
  let label = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      if (label === 0 || label > longestLabel) return false
      length += label + 1
      label = 0
      continue
    }
    label++
    if (code > 0x20 && code < 0x7f && code !== BACKSLASH) continue
    if (code !== BACKSLASH || escapedByte(text, i) < 0) return false
    i += 3
  }
  return label > 0 && label <= longestLabel && length + label + 1 <= longestName
}

/**
 * Writes the label of a text that {@link isName} which begins at `from`.
 * @returns how many bytes that took, its length's included
 */
export function writeLabel(text: string, from: number, to: number, bytes: Uint8Array, at: number): number {
  let written = at + 1
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) {
      bytes[written++] = escapedByte(text, i)
      i += 3
    } else bytes[written++] = code
  }
  bytes[at] = written - at - 1
  return written - at
}

/** The byte that the `\DDD` at `at` stands for; -1 where it stands for none. */
function escapedByte(text: string, at: number): number {
  let byte = 0
  for (let i = at + 1; i <= at + 3; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (!(digit >= 0 && digit <= 9)) return -1
    byte = byte * 10 + digit
  }
  return byte <= 255 ? byte : -1
}
