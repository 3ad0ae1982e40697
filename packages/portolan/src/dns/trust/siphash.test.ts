import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SipHash } from './siphash.ts'

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index)

function sipHash(key: Uint8Array, input: Uint8Array, length?: number): bigint {
  const hash = new SipHash(key)
  hash.hash(input, length)
  return (BigInt(hash.high >>> 0) << 32n) | BigInt(hash.low >>> 0)
}

/** The paper's section 2, word for word. */
function byThePaper(key: Uint8Array, input: Uint8Array): bigint {
  const word = (bytes: Uint8Array, at: number): bigint =>
    bytes.subarray(at, at + 8).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const add = (a: bigint, b: bigint): bigint => BigInt.asUintN(64, a + b)
  const turn = (a: bigint, by: bigint): bigint => BigInt.asUintN(64, (a << by) | (a >> (64n - by)))
  const [k0, k1] = [word(key, 0), word(key, 8)]
  let v0 = k0 ^ 0x736f6d6570736575n
  let v1 = k1 ^ 0x646f72616e646f6dn
  let v2 = k0 ^ 0x6c7967656e657261n
  let v3 = k1 ^ 0x7465646279746573n
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      v0 = add(v0, v1)
      v2 = add(v2, v3)
      v1 = turn(v1, 13n) ^ v0
      v3 = turn(v3, 16n) ^ v2
      v0 = turn(v0, 32n)
      v2 = add(v2, v1)
      v0 = add(v0, v3)
      v1 = turn(v1, 17n) ^ v2
      v3 = turn(v3, 21n) ^ v0
      v2 = turn(v2, 32n)
    }
  }
  const whole = input.length - (input.length % 8)
  const last = word(input, whole) | (BigInt(input.length & 255) << 56n)
  for (let at = 0; at <= whole; at += 8) {
    const m = at === whole ? last : word(input, at)
    v3 ^= m
    rounds(2)
    v0 ^= m
  }
  v2 ^= 0xffn
  rounds(4)
  return v0 ^ v1 ^ v2 ^ v3
}

describe('SipHash-2-4', () => {
  it('gives what the paper gives in appendix A', () => {
    expect(sipHash(counting(16), counting(15))).toBe(0xa129ca6149be45e5n)
  })

  it.each([
    [0, 0x726fdb47dd0e0e31n],
    [1, 0x74f839c593dc67fdn],
    [2, 0x0d6c8009d9a94f5an],
    [3, 0x85676696d7fb7e2dn],
    [4, 0xcf2794e0277187b7n],
    [5, 0x18765564cd99a68dn],
    [6, 0xcbc9466e58fee3cen],
    [7, 0xab0200f58b01d137n],
    [8, 0x93f5f5799a932462n],
    [9, 0x9e0082df0ba9e4b0n],
    [63, 0x958a324ceb064572n],
  ])('gives what its reference gives for %i bytes', (length, expected) => {
    expect(sipHash(counting(16), counting(length))).toBe(expected)
  })

  it('is the function of the paper for whatever it is given', () => {
    const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
    fc.assert(
      fc.property(bytes(16, 16), bytes(0, 80), (key, input) => {
        expect(sipHash(key, input)).toBe(byThePaper(key, input))
      }),
      { numRuns: 500 },
    )
  })

  it('hashes as many bytes as it is told, and repeats itself', () => {
    const hash = new SipHash(counting(16))
    hash.hash(counting(40), 32)
    const first = [hash.low, hash.high]
    hash.hash(counting(32))
    expect([hash.low, hash.high]).toEqual(first)
    expect(sipHash(counting(16), counting(40), 32)).toBe(sipHash(counting(16), counting(32)))
  })

  it('takes no key of another length', () => {
    expect(() => new SipHash(counting(15))).toThrow(RangeError)
    expect(() => new SipHash(counting(17))).toThrow(RangeError)
  })
})
