import packet from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Query } from './query.ts'
import { readQuery } from './read-query.ts'

/** A header that asks one question, its flags aside, and what follows. */
function message(question: string, rest = '', { flags = '0100', counts = '0001000000000000' } = {}): Buffer {
  return Buffer.from(`1234${flags}${counts}${question}${rest}`.replaceAll(' ', ''), 'hex')
}

const order = '056f72646572 08706f72746f6c616e 00'
const orderA = `${order} 0001 0001`
const withOne = { counts: '0001 0000 0000 0001' }

function understood(bytes: Uint8Array): Query {
  const reading = readQuery(bytes)
  if (reading === 'dropped' || 'rcode' in reading) throw new Error(JSON.stringify(reading))
  return reading
}

describe('readQuery', () => {
  it('reads what dns-packet asks', () => {
    const bytes = packet.encode({
      type: 'query',
      id: 7,
      flags: packet.RECURSION_DESIRED | packet.CHECKING_DISABLED,
      questions: [{ type: 'SRV', name: '_http._tcp.Order.portolan' }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 4096,
          flags: packet.DNSSEC_OK,
          extendedRcode: 0,
          ednsVersion: 0,
          flag_do: true,
          options: [],
        },
      ],
    })
    expect(understood(bytes)).toEqual({
      id: 7,
      recursionDesired: true,
      checkingDisabled: true,
      name: '_http._tcp.order.portolan',
      type: 33,
      class: 1,
      question: bytes.subarray(12, 12 + 27 + 4),
      edns: { size: 4096, dnssecOk: true, cookie: undefined },
    })
  })

  it('reads a plain question, with bytes behind it that are nobody’s', () => {
    const expected = { id: 0x1234, name: 'order.portolan', type: 1, class: 1, edns: undefined }
    expect(understood(message(orderA))).toMatchObject(expected)
    expect(understood(message(orderA, 'ffff'))).toMatchObject(expected)
    expect(understood(message('00 00ff 0003'))).toMatchObject({ name: '', type: 255, class: 3 })
  })

  it('passes over records that mean nothing to us', () => {
    const soa = `c00c 0006 0001 00000000 0016 00 00 ${'00000000'.repeat(5)}`
    expect(understood(message(orderA, soa, { counts: '0001 0000 0001 0000' })).edns).toBeUndefined()
    const signature = `00 00fa 00ff 00000000 0003 aabbcc`
    expect(understood(message(orderA, signature, withOne)).edns).toBeUndefined()
  })

  it('takes a size below 512 for 512', () => {
    expect(understood(message(orderA, '00 0029 0010 00000000 0000', withOne)).edns?.size).toBe(512)
  })

  it.each([
    ['too short', Buffer.from('123401000001000000000000', 'hex').subarray(0, 11)],
    ['empty', Buffer.alloc(0)],
    ['an answer', message(orderA, '', { flags: '8180' })],
  ])('drops what is %s', (_, bytes) => {
    expect(readQuery(bytes)).toBe('dropped')
  })

  const opt = (data: string, ttl = '00000000') =>
    `00 0029 04d0 ${ttl} ${(data.replaceAll(' ', '').length / 2).toString(16).padStart(4, '0')} ${data}`
  const cookie = (length: number) => `000a ${length.toString(16).padStart(4, '0')} ${'aa'.repeat(length)}`

  it.each([
    ['no question', message('', '', { counts: '0000000000000000' })],
    ['two questions', message(orderA, orderA, { counts: '0002000000000000' })],
    ['a name that ends with the message', message('056f72')],
    ['a name without its root', message('056f72646572')],
    ['no class', message(`${order} 0001 00`)],
    ['a pointer to itself', message('c00c 0001 0001')],
    ['a pointer forward', message('c010 0001 0001 00')],
    ['a pointer into the header', message('c004 0001 0001')],
    ['half a pointer', message('01 61 c0')],
    ['a label type that is nobody’s', message('41 61 00 0001 0001')],
    ['a name of 256 bytes', message(`${'3f'.padEnd(128, '61').repeat(3)} 3e${'61'.repeat(62)} 00 0001 0001`)],
  ])('refuses %s, question and all', (what, bytes) => {
    expect(readQuery(bytes)).toEqual({
      rcode: 'FORMERR',
      flaw: what.endsWith('questions') || what === 'no question' ? 'questions' : 'question',
      id: 0x1234,
      opcode: 0,
      recursionDesired: true,
      question: undefined,
      edns: false,
    })
  })

  it.each([
    ['fewer records than it says', '', false, 'record'],
    ['a record that ends early', '00 0029 04d0 0000', false, 'record'],
    ['data that ends early', '00 0010 0001 00000000 0005 0461', false, 'record'],
    ['a name that is none', '80 0010 0001 00000000 0000', false, 'record'],
    ['a name that points to itself', 'c020 0010 0001 00000000 0000', false, 'record'],
    ['an OPT that is not the root’s', '0161 00 0029 04d0 00000000 0000', true, 'opt'],
    ['half an option', opt('000a 00'), true, 'option'],
    ['an option that ends early', opt('000a 0008 aabb'), true, 'option'],
    ['a cookie of 7 bytes', opt(cookie(7)), true, 'cookie'],
    ['a cookie of 9 bytes', opt(cookie(9)), true, 'cookie'],
    ['a cookie of 41 bytes', opt(cookie(41)), true, 'cookie'],
  ])('refuses %s', (_, record, edns, flaw) => {
    expect(readQuery(message(orderA, record, withOne))).toMatchObject({
      rcode: 'FORMERR',
      flaw,
      question: message(orderA).subarray(12),
      edns,
    })
  })

  it('refuses an OPT record twice, or where none belongs', () => {
    const two = message(orderA, opt('') + opt(''), { counts: '0001 0000 0000 0002' })
    expect(readQuery(two)).toMatchObject({ rcode: 'FORMERR', flaw: 'opt', edns: true })
    const answer = message(orderA, opt(''), { counts: '0001 0001 0000 0000' })
    expect(readQuery(answer)).toMatchObject({ rcode: 'FORMERR', flaw: 'opt', edns: true })
  })

  it.each([8, 16, 24, 40])('takes a cookie of %i bytes, and the first of two', length => {
    const { edns } = understood(message(orderA, opt(cookie(length) + cookie(7)), withOne))
    expect(edns?.cookie).toEqual(Buffer.alloc(length, 0xaa))
  })

  it('says which versions it knows', () => {
    const bytes = message(orderA, opt('ffff', '00010000'), withOne)
    expect(readQuery(bytes)).toMatchObject({ rcode: 'BADVERS', flaw: 'version', edns: true })
  })

  it('repeats the question of what it does not know', () => {
    const bytes = message(orderA, opt(''), { flags: '2900', ...withOne })
    expect(readQuery(bytes)).toEqual({
      rcode: 'NOTIMP',
      flaw: 'opcode',
      id: 0x1234,
      opcode: 5,
      recursionDesired: true,
      question: message(orderA).subarray(12),
      edns: true,
    })
    expect(readQuery(message('', '', { flags: '3000', counts: '0000000000000000' }))).toMatchObject({
      rcode: 'NOTIMP',
      opcode: 6,
      question: undefined,
    })
  })

  it('takes as long for hostile records as they are', () => {
    const most = 5_000
    const chain = Array.from(
      { length: most },
      (_, i) => `c0${i === 0 ? '0c' : '1c'}0010000100000000 0000`,
    ).join('')
    const bytes = message(orderA, chain, { counts: `0001 0000 0000 ${most.toString(16).padStart(4, '0')}` })
    expect(understood(bytes).edns).toBeUndefined()
  })

  it('makes something of any bytes, and the same of them with others behind', () => {
    const start = fc.constantFrom(
      '',
      '123401000001000000000000',
      '123401000001000000000001',
      '12340100000100010001',
    )
    const bytes = fc
      .tuple(start, fc.uint8Array({ maxLength: 400 }))
      .map(([first, rest]) => Buffer.concat([Buffer.from(first, 'hex'), rest]))
    fc.assert(
      fc.property(bytes, fc.uint8Array({ maxLength: 20 }), (message, behind) => {
        const reading = readQuery(message)
        if (reading === 'dropped' || 'rcode' in reading) return
        expect(message.subarray(12, 12 + reading.question.length)).toEqual(reading.question)
        expect(readQuery(Buffer.concat([message, behind]))).toEqual(reading)
      }),
      { numRuns: 1000 },
    )
  })
})
