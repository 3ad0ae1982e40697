import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Frames, framed } from './frames.ts'

const longest = 65_535

/** Bytes that tell where in which message they are. */
const message = (length: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => seed * 31 + index * 7))

function read(frames: Frames): Buffer[] {
  const all: Buffer[] = []
  for (let next = frames.next(); next !== undefined; next = frames.next()) all.push(next)
  return all
}

const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(3000), fc.constantFrom(0, 1, 255, 256, longest)), {
  maxLength: 8,
})
const cuts = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20_000 })))

describe('the framing of DNS over TCP', () => {
  it('gives the same messages however they were cut', () => {
    fc.assert(
      fc.property(lengths, cuts, fc.boolean(), (sizes, cut, patient) => {
        const sent = sizes.map((length, index) => message(length, index))
        const stream = Buffer.concat(sent.map(framed))
        const frames = new Frames()
        const got: Buffer[] = []
        for (let at = 0; at < stream.length; ) {
          const end = Math.min(stream.length, at + (cut.next().value ?? 1))
          // As a socket gives them: each in memory of its own.
          frames.push(Buffer.from(stream.subarray(at, end)))
          at = end
          // Somebody who is held up reads late.
          if (!patient) got.push(...read(frames))
        }
        got.push(...read(frames))
        expect(got).toHaveLength(sent.length)
        for (const [index, one] of got.entries()) expect(one.equals(sent[index] as Buffer)).toBe(true)
        expect(frames.hasBegun).toBe(false)
        expect(frames.held).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('knows that a message has begun', () => {
    const frames = new Frames()
    expect(frames.hasBegun).toBe(false)
    frames.push(Buffer.of(0))
    expect(frames.next()).toBeUndefined()
    expect(frames.hasBegun).toBe(true)
    frames.push(Buffer.of(1))
    expect(frames.next()).toBeUndefined()
    frames.push(Buffer.of(9))
    expect(frames.next()).toEqual(Buffer.of(9))
    expect(frames.hasBegun).toBe(false)
  })

  it('holds what has come, not what was announced, nor what was read already', () => {
    const frames = new Frames()
    frames.push(Buffer.concat([framed(message(60_000, 1)), Buffer.of(255, 255, 1)]))
    expect(frames.next()).toHaveLength(60_000)
    expect(frames.next()).toBeUndefined()
    expect(frames.held).toBeLessThan(1000)
    for (let size = 4; size < 65_000; size++) frames.push(Buffer.of(size))
    expect(frames.next()).toBeUndefined()
    expect(frames.held).toBeLessThan(2 * 65_537)
    frames.clear()
    expect(frames.held).toBe(0)
  })

  it('never writes to what it has handed out', () => {
    const frames = new Frames()
    const both = Buffer.concat([framed(message(100, 1)), framed(message(100, 2))])
    for (const byte of both.subarray(0, 150)) frames.push(Buffer.of(byte))
    const first = frames.next()
    for (const byte of both.subarray(150)) frames.push(Buffer.of(byte))
    expect(frames.next()).toEqual(message(100, 2))
    frames.push(Buffer.alloc(200, 255))
    expect(first).toEqual(message(100, 1))
  })
})
