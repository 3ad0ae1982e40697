const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const TRAILER_START = 6
const TRAILER = 7
const TRAILER_LF = 8
const END_LF = 9

const CR = 0x0d
const LF = 0x0a
const SEMICOLON = 0x3b

/** 13 hex digits are 52 bits: exact in a double. */
const maxSizeDigits = 13
/** Extensions and trailer fields, all together. */
const maxExtras = 8192

/** Reads the chunked coding (RFC 9112 section 7.1), however its bytes are split. */
export class ChunkReader {
  done = false
  malformed = false
  #phase = SIZE
  #size = 0
  #digits = 0
  #extras = 0

  /** Reads [from, end) and gives the data to `take`. Returns the position after what belongs to the body. */
  read(
    bytes: Buffer,
    from: number,
    end: number,
    take: (bytes: Buffer, from: number, to: number) => void,
  ): number {
    let at = from
    while (at < end && !this.done && !this.malformed) {
      if (this.#phase === DATA) {
        const to = Math.min(end, at + this.#size)
        take(bytes, at, to)
        this.#size -= to - at
        if (this.#size === 0) this.#phase = DATA_CR
        at = to
      } else {
        this.#step(bytes[at] ?? 0)
        at++
      }
    }
    return at
  }

  #step(byte: number): void {
    switch (this.#phase) {
      case SIZE:
        this.#readSize(byte)
        return
      case EXTENSION:
        if (byte === CR) this.#phase = SIZE_LF
        else this.#extra(byte)
        return
      case SIZE_LF:
        this.#expect(byte, LF, this.#size === 0 ? TRAILER_START : DATA)
        this.#digits = 0
        return
      case DATA_CR:
        this.#expect(byte, CR, DATA_LF)
        return
      case DATA_LF:
        this.#expect(byte, LF, SIZE)
        return
      case TRAILER_START:
        this.#phase = byte === CR ? END_LF : TRAILER
        if (byte !== CR) this.#extra(byte)
        return
      case TRAILER:
        if (byte === CR) this.#phase = TRAILER_LF
        else this.#extra(byte)
        return
      case TRAILER_LF:
        this.#expect(byte, LF, TRAILER_START)
        return
      default:
        this.done = byte === LF
        this.malformed = byte !== LF
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit
      this.malformed = ++this.#digits > maxSizeDigits
    } else if (this.#digits > 0 && byte === CR) this.#phase = SIZE_LF
    else if (this.#digits > 0 && byte === SEMICOLON) this.#phase = EXTENSION
    else this.malformed = true
  }

  #expect(byte: number, wanted: number, next: number): void {
    if (byte === wanted) this.#phase = next
    else this.malformed = true
  }

  #extra(byte: number): void {
    this.malformed = byte === LF || byte === 0 || ++this.#extras > maxExtras
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
