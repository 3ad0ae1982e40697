import { COMMA, equalsFolded, foldedToken, HTAB, latin1, SP } from './bytes.ts'
import type { FieldTable } from './fields.ts'
import { field } from './known-fields.ts'

/** The framing of a message's body (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close'

/** The longest Content-Length that is read: 15 digits stay exact in a double. */
const maxLengthDigits = 15

/** The value of a Content-Length field, or -1 when it is anything but digits: no sign, no list, no white space. */
export function readContentLength(bytes: Uint8Array, from: number, to: number): number {
  if (to === from || to - from > maxLengthDigits) return -1
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

export function isExactlyChunked(bytes: Uint8Array, from: number, to: number): boolean {
  return equalsFolded(bytes, from, to, 'chunked')
}

const timeoutParameter = 'timeout='
/** Longer than a week is as good as for ever, and nothing overflows. */
const maxKeepAliveDigits = 6

/** The seconds in `timeout=5, max=100` (RFC 2068 section 19.7.1), or -1 where none can be read. */
export function readKeepAlive(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const start = at
    while (at < to && bytes[at] !== COMMA) at++
    const digits = start + timeoutParameter.length
    if (equalsFolded(bytes, start, Math.min(digits, at), timeoutParameter)) {
      return at - digits > maxKeepAliveDigits ? -1 : readContentLength(bytes, digits, at)
    }
    while (at + 1 < to && (bytes[at + 1] === SP || bytes[at + 1] === HTAB)) at++
  }
  return -1
}

/** What the Connection fields of one head say together. Kept with the head and used again. */
export class ConnectionOptions {
  close = false
  keepAlive = false
  /** Whether fields are named that must be removed; `names` finds them. */
  namesFields = false

  reset(): void {
    this.close = false
    this.keepAlive = false
    this.namesFields = false
  }

  /**
   * Reads one Connection value. False: it is malformed, or names a field that says where the message ends or goes,
   * which nobody may have removed on the way (RFC 9110 section 7.6.1; otherwise `Connection: content-length` smuggles).
   */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    let at = from
    while (at < to) {
      const start = at
      while (at < to && foldedToken[bytes[at] as number] !== 0) at++
      if (at > start && !this.take(bytes, start, at)) return false
      while (at < to && (bytes[at] === SP || bytes[at] === HTAB)) at++
      if (at === to) return true
      if (bytes[at] !== COMMA) return false
      at++
      while (at < to && (bytes[at] === SP || bytes[at] === HTAB)) at++
    }
    return true
  }

  private take(bytes: Uint8Array, from: number, to: number): boolean {
    if (equalsFolded(bytes, from, to, 'close')) this.close = true
    else if (equalsFolded(bytes, from, to, 'keep-alive')) this.keepAlive = true
    else {
      for (const name of untouchable) if (looksLike(bytes, from, to, name)) return false
      this.namesFields = true
    }
    return true
  }
}

/** Whether it is that name, given in lower case and with `-` for `_`, or one that equals it but for `_` in place of `-`. */
export function looksLike(bytes: Uint8Array, from: number, to: number, name: string): boolean {
  if (to - from !== name.length) return false
  for (let i = 0; i < name.length; i++)
    if (foldedToken[bytes[from + i] as number] !== name.charCodeAt(i)) return false
  return true
}

const untouchable = [
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'cookie',
] as const

/** Whether a Connection field of this head names field `index`. Only worth asking when `namesFields`. */
export function isNamedByConnection(bytes: Uint8Array, fields: FieldTable, index: number): boolean {
  const from = fields.lineStart(index)
  const length = fields.nameEnd(index) - from
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== field.connection) continue
    let at = fields.valueStart(i)
    const to = fields.valueEnd(i)
    while (at < to) {
      const start = at
      while (at < to && foldedToken[bytes[at] as number] !== 0) at++
      if (at - start === length && sameName(bytes, start, from, length)) return true
      at++
    }
  }
  return false
}

/** The names in the Connection fields of this head, options among them, in lower case and with `-` for `_`. */
export function namesInConnection(bytes: Uint8Array, fields: FieldTable): readonly string[] {
  const names: string[] = []
  for (let i = 0; i < fields.count; i++) {
    if (fields.id(i) !== field.connection) continue
    const value = latin1(bytes, fields.valueStart(i), fields.valueEnd(i))
    names.push(...value.split(',').map(name => name.trim().toLowerCase().replaceAll('_', '-')))
  }
  return names
}

function sameName(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (foldedToken[bytes[a + i] as number] !== foldedToken[bytes[b + i] as number]) return false
  }
  return true
}
