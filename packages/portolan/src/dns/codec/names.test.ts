import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isName, readName, skipName, writeLabel } from './names.ts'

/** A name behind a header's bytes. */
function at12(...labels: readonly (string | number)[]): Buffer {
  const parts = labels.map(label =>
    typeof label === 'number'
      ? Buffer.from([0xc0 | (label >> 8), label & 255])
      : Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
  )
  return Buffer.concat([Buffer.alloc(12), ...parts])
}

function wireOf(name: string): Buffer {
  const bytes = Buffer.alloc(300)
  let at = 12
  for (let from = 0; from < name.length; ) {
    const dot = name.indexOf('.', from)
    const to = dot < 0 ? name.length : dot
    at += writeLabel(name, from, to, bytes, at)
    from = to + 1
  }
  return bytes.subarray(0, at + 1)
}

describe('readName', () => {
  it.each([
    ['order.portolan', at12('order', 'portolan', '')],
    ['order.portolan', at12('oRdEr', 'PORTOLAN', '')],
    ['', at12('')],
    ['a\\046b.c', at12('a.b', 'c', '')],
    ['a\\092\\032\\000\\255', at12('a\\ \0\xff', '')],
    ['_http._tcp.a-b_c~!"\'', at12('_http', '_tcp', 'a-b_c~!"\'', '')],
  ])('reads %s', (text, bytes) => {
    expect(readName(bytes, 12)).toEqual({ text, end: bytes.length })
    expect(skipName(bytes, 12)).toBe(bytes.length)
    expect(isName(text)).toBe(true)
  })

  it('follows pointers back, and ends behind the first', () => {
    const bytes = at12('portolan', '', 'order', 12, 'i-1', 22, 'x')
    expect(readName(bytes, 22)).toEqual({ text: 'order.portolan', end: 30 })
    expect(readName(bytes, 30)).toEqual({ text: 'i-1.order.portolan', end: 36 })
    expect(skipName(bytes, 30)).toBe(36)
  })

  it.each([
    ['to itself', at12(12), 12],
    ['forward', at12(16, 'a', ''), 12],
    ['into the header', at12(3), 12],
    ['to the label before it in the same name', at12('a', 12), 12],
    ['round in circles', at12('a', 16, 'b', 12), 16],
  ])('refuses a pointer %s', (_, bytes, at) => {
    expect(readName(bytes, at)).toBeUndefined()
  })

  it('refuses longer chains of pointers than any name needs', () => {
    const chain = (length: number) =>
      at12('a', '', ...Array.from({ length }, (_, i) => (i === 0 ? 12 : 13 + 2 * i)))
    const last = (bytes: Buffer) => bytes.length - 2
    expect(readName(chain(127), last(chain(127)))?.text).toBe('a')
    expect(readName(chain(128), last(chain(128)))).toBeUndefined()
  })

  it('takes 255 bytes and 127 labels, no more', () => {
    const label = 'a'.repeat(63)
    const most = at12(label, label, label, 'a'.repeat(61), '')
    expect(readName(most, 12)?.text).toHaveLength(253)
    expect(skipName(most, 12)).toBe(most.length)
    const more = at12(label, label, label, 'a'.repeat(62), '')
    expect(readName(more, 12)).toBeUndefined()
    expect(skipName(more, 12)).toBe(-1)
    const labels = (length: number) => at12(...Array.from({ length }, () => 'a'), '')
    expect(readName(labels(127), 12)?.text).toHaveLength(253)
    expect(readName(labels(128), 12)).toBeUndefined()
    const pointed = at12(label, label, label, '', 'a'.repeat(62), 12)
    expect(readName(pointed, 12 + 193)).toBeUndefined()
  })

  it('reads the same again of what it wrote, and never beyond the end', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 63 })
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), labels => {
        const bytes = at12(...labels.map(bytes => Buffer.from(bytes).toString('latin1')), '')
        const read = readName(bytes, 12)
        expect(skipName(bytes, 12)).toBe(read?.end ?? -1)
        if (read === undefined) {
          expect(bytes.length).toBeGreaterThan(12 + 255)
          return
        }
        expect(read.text).toMatch(/^[!-@[-~]*$/)
        expect(isName(read.text)).toBe(true)
        expect(read.text === '' ? 0 : read.text.split('.').length).toBe(labels.length)
        expect(wireOf(read.text).toString('latin1').toLowerCase()).toBe(
          bytes
            .toString('latin1')
            .replace(/[A-Z]/g, letter => letter.toLowerCase())
            .toLowerCase(),
        )
        for (let end = 12; end < bytes.length; end++) {
          expect(readName(bytes.subarray(0, end), 12)).toBeUndefined()
          expect(skipName(bytes.subarray(0, end), 12)).toBe(-1)
        }
      }),
    )
  })

  it('makes something or nothing of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 600 }), fc.nat(600), (bytes, at) => {
        const read = readName(bytes, at)
        if (read === undefined) return
        expect(read.end).toBeLessThanOrEqual(bytes.length)
        expect(isName(read.text)).toBe(true)
        expect(skipName(bytes, at)).toBe(read.end)
      }),
    )
  })
})

describe('isName', () => {
  it.each(['a..b', '.', 'a.', '.a', 'ä', 'a b', 'a\\', 'a\\1', 'a\\256', 'a\\.b', 'a'.repeat(64)])(
    'refuses %s',
    text => {
      expect(isName(text)).toBe(false)
    },
  )

  it('counts bytes, not what they are written as', () => {
    expect(isName('\\255'.repeat(63))).toBe(true)
    expect(isName('\\255'.repeat(64))).toBe(false)
  })
})
