import { COLON, CR, foldedToken, HTAB, isValueByte, LF, SP } from './bytes.ts'
import { field, hashStep, recognise } from './known-fields.ts'
import { type Refusal, refusals } from './refusal.ts'

/** More fields than this in one head or trailer section are refused (431). */
export const maxFields = 128

/** What a parse step answers when it has used up the bytes: call again with more of them. */
export const incomplete = -1
/** What a parse step answers when the bytes can't be passed on; `refusal` says why. */
export const refused = -2

const stride = 4
const LINE_START = 0
const NAME = 1
const BEFORE_VALUE = 2
const VALUE = 3
const LINE_FEED = 4
const LAST_LINE_FEED = 5

/**
 * The field section of a head (or of a trailer), as positions in the bytes that it was read from: nothing is copied.
 * One is kept per connection and used again; `begin` makes it forget what it held.
 */
export class FieldTable {
  count = 0
  /** Where the section's final CRLF begins, once it is complete. */
  sectionEnd = 0
  refusal: Refusal | undefined
  private readonly positions = new Int32Array(maxFields * stride)
  private readonly ids = new Uint8Array(maxFields)
  private at = 0
  private phase = LINE_START
  private hash = 0

  begin(at: number): void {
    this.count = 0
    this.refusal = undefined
    this.at = at
    this.phase = LINE_START
  }

  /** Where the line of field `index` starts: its name's first byte. */
  lineStart(index: number): number {
    return this.positions[index * stride] as number
  }
  nameEnd(index: number): number {
    return this.positions[index * stride + 1] as number
  }
  /** Value without the white space around it. */
  valueStart(index: number): number {
    return this.positions[index * stride + 2] as number
  }
  valueEnd(index: number): number {
    return this.positions[index * stride + 3] as number
  }
  /** Past the line's CRLF. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? (this.positions[(index + 1) * stride] as number) : this.sectionEnd
  }
  /** Which known field it is (`field` in known-fields.ts), 0 for all others. */
  id(index: number): number {
    return this.ids[index] as number
  }

  /** Field `index` is not to be passed on. */
  withhold(index: number): void {
    this.ids[index] = field.lookAlike
  }

  /** The bytes read so far have been moved: every position shifts by `distance`. */
  moved(distance: number): void {
    this.at += distance
    // Known as soon as the CR of the closing line end is there, which its LF may be torn from.
    this.sectionEnd += distance
    const used = Math.min(this.count + 1, maxFields) * stride
    for (let i = 0; i < used; i++) this.positions[i] = (this.positions[i] as number) + distance
  }

  /**
   * Reads on where the last call stopped; no byte is looked at twice. Returns the position after the section's
   * closing CRLF, `incomplete` or `refused`. RFC 9112 section 5, strictly: CRLF only, no folding, no white space
   * before a colon.
   */
  read(bytes: Uint8Array, end: number): number {
    const { positions } = this
    let { at, phase, hash } = this
    let entry = this.count * stride
    while (at < end) {
      if (phase === LINE_START) {
        const byte = bytes[at] as number
        if (byte === CR) {
          this.sectionEnd = at
          phase = LAST_LINE_FEED
          at++
          continue
        }
        if (byte === SP || byte === HTAB) return this.refuse(refusals.folded)
        if (this.count === maxFields) return this.refuse(refusals.tooManyFields)
        positions[entry] = at
        hash = 0
        phase = NAME
      }
      if (phase === NAME) {
        let folded = 0
        while (at < end) {
          folded = foldedToken[bytes[at] as number] as number
          if (folded === 0) break
          hash = hashStep(hash, folded)
          at++
        }
        if (at === end) break
        if (bytes[at] !== COLON || at === positions[entry]) return this.refuse(refusals.fieldName)
        positions[entry + 1] = at
        at++
        phase = BEFORE_VALUE
      }
      if (phase === BEFORE_VALUE) {
        while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++
        if (at === end) break
        positions[entry + 2] = at
        phase = VALUE
      }
      if (phase === VALUE) {
        while (at < end && isValueByte[bytes[at] as number] === 1) at++
        if (at === end) break
        const byte = bytes[at]
        if (byte !== CR) return this.refuse(byte === LF ? refusals.lineEnd : refusals.fieldValue)
        at++
        phase = LINE_FEED
        if (at === end) break
      }
      if (bytes[at] !== LF) return this.refuse(refusals.lineEnd)
      at++
      if (phase === LAST_LINE_FEED) {
        this.at = at
        return at
      }
      this.complete(bytes, at - 2, entry, hash)
      entry += stride
      phase = LINE_START
    }
    this.at = at
    this.phase = phase
    this.hash = hash
    return incomplete
  }

  private complete(bytes: Uint8Array, valueEnd: number, entry: number, hash: number): void {
    const { positions } = this
    const valueStart = positions[entry + 2] as number
    let to = valueEnd
    while (to > valueStart && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--
    positions[entry + 3] = to
    this.ids[this.count] = recognise(bytes, positions[entry] as number, positions[entry + 1] as number, hash)
    this.count++
  }

  private refuse(refusal: Refusal): number {
    this.refusal = refusal
    return refused
  }
}
