import { describe, expect, it } from 'vitest'
import { answering, plainQuestion } from './plain-question.ts'

/** A header, then a question for `a.` and whatever is behind it. */
function message(change: (header: Buffer) => void = () => {}, behind = ''): Buffer {
  const header = Buffer.from('123401000001000000000000', 'hex')
  change(header)
  return Buffer.concat([header, Buffer.from(`0161000001${'0001'}${behind}`, 'hex')])
}

describe('plainQuestion', () => {
  it('is the same whatever id, RD, AD and CD are', () => {
    const plain = plainQuestion(message())
    expect(plain).toBeDefined()
    const others = [
      message(header => header.writeUInt16BE(0xffff, 0)),
      message(header => header.writeUInt8(0, 2)),
      message(header => header.writeUInt8(0x30, 3)),
    ]
    expect(others.map(plainQuestion)).toEqual([plain, plain, plain])
  })

  it('differs with every byte of the question and of what is behind it', () => {
    const bytes = message(() => {}, '00002904d0000000000000')
    const plain = plainQuestion(bytes)
    for (let at = 12; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 0x20
      expect(plainQuestion(changed)).not.toBe(plain)
    }
  })

  it('differs with the number of records behind the question', () => {
    expect(plainQuestion(message(header => header.writeUInt8(1, 11)))).not.toBe(plainQuestion(message()))
  })

  it('leaves all else to be read', () => {
    const others: readonly Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('123401000001000000000000', 'hex'),
      message(header => header.writeUInt8(0x81, 2)),
      message(header => header.writeUInt8(0x11, 2)),
      message(header => header.writeUInt8(0x03, 2)),
      message(header => header.writeUInt8(0x80, 3)),
      message(header => header.writeUInt8(0x40, 3)),
      message(header => header.writeUInt8(0x01, 3)),
      message(header => header.writeUInt16BE(2, 4)),
      message(header => header.writeUInt16BE(0, 4)),
      message(header => header.writeUInt16BE(1, 6)),
      message(header => header.writeUInt16BE(1, 8)),
      message(header => header.writeUInt16BE(2, 10)),
      Buffer.concat([message(), Buffer.alloc(400)]),
    ]
    expect(others.map(plainQuestion)).toEqual(others.map(() => undefined))
  })
})

describe('answering', () => {
  it('repeats id, RD and CD, and leaves the encoded answer as it was', () => {
    const encoded = Buffer.from('0000840000010001000000000161000001', 'hex')
    const before = Buffer.from(encoded)
    const query = message(header => header.writeUInt8(0x10, 3))
    const bytes = answering(query, encoded)
    expect(bytes.subarray(0, 4).toString('hex')).toBe('12348510')
    expect(bytes.subarray(4)).toEqual(encoded.subarray(4))
    expect(encoded).toEqual(before)
  })
})
