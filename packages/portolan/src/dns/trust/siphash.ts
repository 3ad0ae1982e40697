/**
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", INDOCRYPT 2012) with 64 bits of output: whoever does
 * not know the key can neither tell what it gives nor look for inputs that collide.
 *
 * Its words of 64 bits are kept as two halves of 32: BigInt would take twenty times as long.
 */
export class SipHash {
  /** The halves of what the last {@link SipHash.hash} gave, as signed numbers. */
  low = 0
  high = 0
  readonly #key0: Word
  readonly #key1: Word

  /** @param key 16 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`a key of SipHash has 16 bytes, not ${key.length}`)
    this.#key0 = { low: littleEndian(key, 0, 4), high: littleEndian(key, 4, 8) }
    this.#key1 = { low: littleEndian(key, 8, 12), high: littleEndian(key, 12, 16) }
  }

  /** Hashes the first `length` bytes of `input`. */
  hash(input: Uint8Array, length = input.length): void {
    let v0 = this.#key0.low ^ 0x70736575
    let v0h = this.#key0.high ^ 0x736f6d65
    let v1 = this.#key1.low ^ 0x6e646f6d
    let v1h = this.#key1.high ^ 0x646f7261
    let v2 = this.#key0.low ^ 0x6e657261
    let v2h = this.#key0.high ^ 0x6c796765
    let v3 = this.#key1.low ^ 0x79746573
    let v3h = this.#key1.high ^ 0x74656462
    // The last word holds what is left, and the length in its highest byte; one more turn of the loop finishes.
    const words = (length >> 3) + 1
    for (let word = 0; word <= words; word++) {
      let rounds = 2
      let m = 0
      let mh = 0
      if (word === words) {
        rounds = 4
        v2 ^= 0xff
      } else {
        const at = word * 8
        m = littleEndian(input, at, Math.min(at + 4, length))
        mh = littleEndian(input, at + 4, Math.min(at + 8, length))
        if (word === words - 1) mh |= length << 24
        v3 ^= m
        v3h ^= mh
      }
      for (; rounds > 0; rounds--) {
        let kept = 0
        // v0 += v1, v1 <<<= 13, v1 ^= v0, v0 <<<= 32
        v0 = (v0 + v1) | 0
        v0h = (v0h + v1h + carry(v0, v1)) | 0
        kept = v1
        v1 = ((v1 << 13) | (v1h >>> 19)) ^ v0
        v1h = ((v1h << 13) | (kept >>> 19)) ^ v0h
        kept = v0
        v0 = v0h
        v0h = kept
        // v2 += v3, v3 <<<= 16, v3 ^= v2
        v2 = (v2 + v3) | 0
        v2h = (v2h + v3h + carry(v2, v3)) | 0
        kept = v3
        v3 = ((v3 << 16) | (v3h >>> 16)) ^ v2
        v3h = ((v3h << 16) | (kept >>> 16)) ^ v2h
        // v0 += v3, v3 <<<= 21, v3 ^= v0
        v0 = (v0 + v3) | 0
        v0h = (v0h + v3h + carry(v0, v3)) | 0
        kept = v3
        v3 = ((v3 << 21) | (v3h >>> 11)) ^ v0
        v3h = ((v3h << 21) | (kept >>> 11)) ^ v0h
        // v2 += v1, v1 <<<= 17, v1 ^= v2, v2 <<<= 32
        v2 = (v2 + v1) | 0
        v2h = (v2h + v1h + carry(v2, v1)) | 0
        kept = v1
        v1 = ((v1 << 17) | (v1h >>> 15)) ^ v2
        v1h = ((v1h << 17) | (kept >>> 15)) ^ v2h
        kept = v2
        v2 = v2h
        v2h = kept
      }
      v0 ^= m
      v0h ^= mh
    }
    this.low = v0 ^ v1 ^ v2 ^ v3
    this.high = v0h ^ v1h ^ v2h ^ v3h
  }
}

interface Word {
  readonly low: number
  readonly high: number
}

/** Whether a sum of 32 bits has gone over, seen by one of what was added. */
function carry(sum: number, added: number): number {
  return sum >>> 0 < added >>> 0 ? 1 : 0
}

/** Up to four bytes, the first one lowest. */
function littleEndian(bytes: Uint8Array, from: number, end: number): number {
  let word = 0
  for (let at = from; at < end; at++) word |= (bytes[at] as number) << ((at - from) * 8)
  return word
}
