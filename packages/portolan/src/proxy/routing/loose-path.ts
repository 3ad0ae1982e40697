const HASH = 0x23
const PERCENT = 0x25
const DOT = 0x2e
const SLASH = 0x2f
const SEMICOLON = 0x3b
const QUERY = 0x3f
const BACKSLASH = 0x5c

/** Where the path of bytes[from, to) ends: at its query. */
export function endOfPath(bytes: Uint8Array, from: number, to: number): number {
  let end = from
  while (end < to && bytes[end] !== QUERY) end++
  return end
}

/** Whether servers may read the path of bytes[from, to), which ends at a `?`, otherwise than it is written. */
export function mayBeReadOtherwise(bytes: Uint8Array, from: number, to: number): boolean {
  let before = 0
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    if (byte === QUERY) return false
    if (byte === PERCENT || byte === SEMICOLON || byte === BACKSLASH) return true
    if (before === SLASH && (byte === SLASH || byte === DOT)) return true
    before = byte
  }
  return false
}

/**
 * Where the path begins behind an authority, by the servers that resolve it as a reference once they have decoded it:
 * `//any/path`, to WHATWG's URL any slashes and backslashes, and `/.//any/path` without its dots. `undefined`: there is
 * none. The byte there is a slash, or the last one of an escaped slash.
 */
export function endOfAuthority(bytes: Uint8Array, from: number, end: number): number | undefined {
  let at = from
  let slashes = 0
  for (;;) {
    const size = slashAt(bytes, at, end)
    if (size > 0) {
      slashes++
      at += size
      continue
    }
    const dot = dotAt(bytes, at, end)
    if (dot === 0 || slashAt(bytes, at + dot, end) === 0) break
    at += dot
  }
  if (slashes < 2) return undefined
  for (; at < end; at++) {
    const size = slashAt(bytes, at, end)
    if (size > 0) return at + size - 1
  }
  return end
}

/** How many bytes a slash takes there, in any form; 0: there is none. */
function slashAt(bytes: Uint8Array, at: number, end: number): number {
  const byte = at < end ? bytes[at] : 0
  if (byte === SLASH || byte === BACKSLASH) return 1
  const escaped = escapedAt(bytes, at, end)
  return escaped === SLASH || escaped === BACKSLASH ? 3 : 0
}

function dotAt(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && bytes[at] === DOT) return 1
  return escapedAt(bytes, at, end) === DOT ? 3 : 0
}

/** The byte that is written as an escape there; below 0: none. */
function escapedAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 >= end || bytes[at] !== PERCENT) return -1
  const high = hexDigit(bytes[at + 1])
  const low = hexDigit(bytes[at + 2])
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

/**
 * A path as freely as any server reads it: escapes decoded, once; a backslash is a slash; what stands behind a `;`, or an
 * escaped `?` or `#`, in its segment is gone; so are empty segments and `.`, and `..` with what stands before it. Other servers do some of that, in
 * one order or another. As long as no `..` takes anything away, a prefix of plain segments that any of them reads is one
 * here, too. What a `..` takes away depends on how the rest is read: then that has to be beyond doubt.
 */
export class LoosePath {
  bytes = new Uint8Array(256)
  length = 0
  /** With how few segments a `..` has left it on the way, -1: it would have gone above the root. Infinite without one. */
  lowest = Number.POSITIVE_INFINITY
  /** Nobody can say what others make of it. */
  isUnclear = false
  #depth = 0
  #segment = 0
  #inParameter = false
  /** There is something in it by which servers count segments differently. */
  #isOdd = false

  /** Reads bytes[from, end), which begins with a slash. */
  read(bytes: Uint8Array, from: number, end: number): this {
    if (this.bytes.length <= end - from) this.bytes = new Uint8Array(end - from + 1)
    this.#begin()
    let at = from + 1
    while (at < end) {
      const escaped = escapedAt(bytes, at, end)
      if (escaped < 0) this.#take(bytes[at] as number, false)
      else this.#take(escaped, true)
      at += escaped < 0 ? 1 : 3
    }
    this.#endSegment(true)
    if (this.#isOdd && this.lowest !== Number.POSITIVE_INFINITY) this.isUnclear = true
    return this
  }

  /** Whether the path is `prefix`, as {@link read} would have it, or goes on below it. */
  isBelow(prefix: Uint8Array): boolean {
    const { bytes, length } = this
    if (length < prefix.length) return false
    for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false
    return length === prefix.length || prefix.at(-1) === SLASH || bytes[prefix.length] === SLASH
  }

  /** How many segments it has. */
  get depth(): number {
    return this.#depth
  }

  #begin(): void {
    this.bytes[0] = SLASH
    this.length = 1
    this.lowest = Number.POSITIVE_INFINITY
    this.isUnclear = false
    this.#depth = 0
    this.#segment = 1
    this.#inParameter = false
    this.#isOdd = false
  }

  #take(byte: number, isEscaped: boolean): void {
    // What is written in C takes the path to end there.
    if (byte === 0) this.isUnclear = true
    const isFreely = byte === BACKSLASH || (isEscaped && byte === SLASH)
    // Who decodes before he looks for the query finds it there.
    const isEnd = byte === SEMICOLON || (isEscaped && (byte === QUERY || byte === HASH))
    if (isFreely || isEnd || (isEscaped && byte === DOT)) this.#isOdd = true
    if (byte === SLASH || byte === BACKSLASH) {
      // Where the parameter ends depends on whom one asks, and so which segments there are.
      if (isFreely && this.#inParameter) this.isUnclear = true
      this.#endSegment(false)
    } else if (isEnd) this.#inParameter = true
    else if (!this.#inParameter) this.bytes[this.length++] = byte
  }

  #endSegment(isLast: boolean): void {
    const { bytes } = this
    const from = this.#segment
    const size = this.length - from
    this.#inParameter = false
    if (size === 0) {
      if (!isLast) this.#isOdd = true
    } else if (bytes[from] === DOT && size === 1) this.length = from
    else if (bytes[from] === DOT && bytes[from + 1] === DOT && size === 2) this.#goUp()
    else {
      this.#depth++
      if (!isLast) bytes[this.length++] = SLASH
    }
    this.#segment = this.length
  }

  #goUp(): void {
    if (this.#depth === 0) {
      this.length = 1
      this.lowest = -1
      return
    }
    this.#depth--
    this.lowest = Math.min(this.lowest, this.#depth)
    this.length = this.bytes.lastIndexOf(SLASH, this.#segment - 2) + 1
  }
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
