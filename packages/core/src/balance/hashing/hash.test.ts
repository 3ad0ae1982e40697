import { describe, expect, it } from 'vitest'
import { hash32, rehash32 } from './hash.ts'

/** The reference's own function, over bytes: what `hash32` must agree with, written the long way. */
function murmur3(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rotl = (x: bigint, r: bigint) => ((x << r) | (x >> (32n - r))) & 0xffffffffn
  const times = (x: bigint, y: bigint) => (x * y) & 0xffffffffn
  let h = BigInt(seed)
  const blocks = bytes.length >> 2
  for (let i = 0; i < blocks; i++) {
    const k = BigInt(view.getUint32(4 * i, true))
    h ^= times(rotl(times(k, 0xcc9e2d51n), 15n), 0x1b873593n)
    h = (times(rotl(h, 13n), 5n) + 0xe6546b64n) & 0xffffffffn
  }
  let tail = 0n
  for (let i = bytes.length - 1; i >= 4 * blocks; i--) tail = (tail << 8n) | BigInt(bytes[i] ?? 0)
  if (tail !== 0n) h ^= times(rotl(times(tail, 0xcc9e2d51n), 15n), 0x1b873593n)
  h ^= BigInt(bytes.length)
  h = times(h ^ (h >> 16n), 0x85ebca6bn)
  h = times(h ^ (h >> 13n), 0xc2b2ae35n)
  return Number(h ^ (h >> 16n))
}

describe('hash32', () => {
  it.each(['', 'a', 'ab', 'abc', 'user-42', 'größe', '漢字かな', '🙂 and more', 'x'.repeat(1001)])(
    'is MurmurHash3 of the UTF-16 units: %s',
    text => {
      const bytes = new Uint8Array(Buffer.from(text, 'utf16le'))
      expect(hash32(text) >>> 0).toBe(murmur3(bytes, 0))
      expect(hash32(text, 7) >>> 0).toBe(murmur3(bytes, 7))
    },
  )

  it('is the published value of the reference for bytes that are UTF-16 units by chance', () => {
    // Known answers of the reference implementation: the empty input, with three seeds.
    expect([0, 1, 0xffffffff].map(seed => hash32('', seed) >>> 0)).toEqual([0, 0x514e28b7, 0x81f16f39])
  })

  it('reads a key of a megabyte to its end', () => {
    const key = 'k'.repeat(1 << 20)
    expect(hash32(`${key}a`)).not.toBe(hash32(`${key}b`))
    expect(hash32(`a${key}`)).not.toBe(hash32(`b${key}`))
  })

  it('spreads keys that differ in their last character only, and each round of one', () => {
    const buckets = new Array<number>(64).fill(0)
    for (let key = 0; key < 64_000; key++) {
      const bucket = hash32(`user-${key}`) >>> 26
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    // 1,000 ± 6 standard deviations.
    expect(Math.min(...buckets)).toBeGreaterThan(810)
    expect(Math.max(...buckets)).toBeLessThan(1190)
    const rounds = new Set(Array.from({ length: 1000 }, (_, round) => rehash32(hash32('user-1'), round)))
    expect(rounds.size).toBe(1000)
  })
})
