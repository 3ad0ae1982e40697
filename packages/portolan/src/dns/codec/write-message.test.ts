import packet from 'dns-packet'
import { describe, expect, it } from 'vitest'
import type { Outgoing } from './message.ts'
import type { DnsRecord } from './record.ts'
import { writeMessage } from './write-message.ts'

/** A question for SRV records, in whatever case. */
const question = (name: string) =>
  Buffer.concat([
    ...name.split('.').map(label => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0, 0, 33, 0, 1]),
  ])

function outgoing(parts: Partial<Outgoing>): Outgoing {
  return {
    id: 0x1234,
    recursionDesired: true,
    checkingDisabled: false,
    recursionAvailable: false,
    authoritative: true,
    rcode: 'NOERROR',
    question: question('order.portolan'),
    answers: [],
    authority: [],
    additional: [],
    limit: 512,
    ...parts,
  }
}

const a = (index: number): DnsRecord => ({
  type: 'A',
  name: 'order.portolan',
  ttl: 1,
  address: `10.0.${index >> 8}.${index & 255}`,
})
const soa: DnsRecord = {
  type: 'SOA',
  name: 'portolan',
  ttl: 1,
  primary: 'ns.portolan',
  mailbox: 'hostmaster.portolan',
  serial: 0xfffffffe,
  refresh: 3600,
  retry: 600,
  expire: 86_400,
  minimum: 1,
}
const srv = (id: string): DnsRecord => ({
  type: 'SRV',
  name: 'order.portolan',
  ttl: 1,
  priority: 1,
  weight: 65_535,
  port: 8080,
  target: `${id}.instance.order.portolan`,
})
const target = (id: string): DnsRecord => ({
  type: 'A',
  name: `${id}.instance.order.portolan`,
  ttl: 1,
  address: '10.0.0.1',
})

describe('writeMessage', () => {
  it('writes 16 bytes for an address of the asked name', () => {
    const bytes = writeMessage(outgoing({ answers: [a(1)] }))
    expect(bytes.toString('hex')).toBe(
      '123485000001000100000000' + // header
        '056f7264657208706f72746f6c616e0000210001' + // question
        'c00c00010001000000010004' + // owner, type, class, TTL, length
        '0a000001',
    )
  })

  it('is read by dns-packet as it was meant', () => {
    const bytes = writeMessage(
      outgoing({
        answers: [
          srv('a'),
          { type: 'AAAA', name: 'order.portolan', ttl: 0xffff, address: '2001:db8::1' },
          { type: 'TXT', name: 'x.portolan', ttl: 2, texts: ['id=a', '', 'zone=ä'] },
          { type: 'TXT', name: 'x.portolan', ttl: 2, texts: [] },
          { type: 'HINFO', name: 'order.portolan', ttl: 2, cpu: 'RFC8482', os: '' },
          { type: 'PTR', name: '1.0.0.10.in-addr.arpa', ttl: 3, target: 'a.instance.order.portolan' },
        ],
        authority: [soa, { type: 'NS', name: 'portolan', ttl: 9, target: 'ns.portolan' }],
        additional: [target('a'), { type: 'A', name: '', ttl: 1, address: '255.255.255.255' }],
        edns: { size: 1232, dnssecOk: true, cookie: Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex') },
      }),
    )
    const read = packet.decode(bytes)
    expect(read).toMatchObject({
      id: 0x1234,
      rcode: 'NOERROR',
      flag_aa: true,
      flag_tc: false,
      flag_rd: true,
      flag_ra: false,
    })
    expect(read.questions).toEqual([{ name: 'order.portolan', type: 'SRV', class: 'IN' }])
    expect(read.answers).toMatchObject([
      {
        type: 'SRV',
        name: 'order.portolan',
        ttl: 1,
        data: { priority: 1, weight: 65_535, port: 8080, target: 'a.instance.order.portolan' },
      },
      { type: 'AAAA', name: 'order.portolan', ttl: 0xffff, data: '2001:db8::1' },
      {
        type: 'TXT',
        name: 'x.portolan',
        ttl: 2,
        data: [Buffer.from('id=a'), Buffer.alloc(0), Buffer.from('zone=ä')],
      },
      { type: 'TXT', name: 'x.portolan', ttl: 2, data: [Buffer.alloc(0)] },
      { type: 'HINFO', name: 'order.portolan', ttl: 2, data: { cpu: 'RFC8482', os: '' } },
      { type: 'PTR', name: '1.0.0.10.in-addr.arpa', ttl: 3, data: 'a.instance.order.portolan' },
    ])
    expect(read.authorities).toMatchObject([
      {
        type: 'SOA',
        name: 'portolan',
        data: {
          mname: 'ns.portolan',
          rname: 'hostmaster.portolan',
          serial: 0xfffffffe,
          refresh: 3600,
          retry: 600,
          expire: 86_400,
          minimum: 1,
        },
      },
      { type: 'NS', name: 'portolan', ttl: 9, data: 'ns.portolan' },
    ])
    expect(read.additionals).toMatchObject([
      { type: 'A', name: 'a.instance.order.portolan', data: '10.0.0.1' },
      { type: 'A', name: '.', data: '255.255.255.255' },
      {
        type: 'OPT',
        udpPayloadSize: 1232,
        flag_do: true,
        options: [{ code: 10, data: Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex') }],
      },
    ])
  })

  it('writes SRV targets out, and points into them', () => {
    const bytes = writeMessage(
      outgoing({ answers: [srv('a'), srv('b')], additional: [target('a'), target('b')] }),
    )
    const length = 'a.instance.order.portolan'.length + 2
    expect(bytes.length).toBe(12 + 20 + 2 * (12 + 6 + length) + 2 * 16)
  })

  it('repeats the question as it was spelt', () => {
    const asked = question('oRdEr.PORTOLAN')
    const bytes = writeMessage(
      outgoing({ question: asked, answers: [srv('a')], authority: [soa], additional: [target('a')] }),
    )
    expect(bytes.subarray(12, 12 + asked.length)).toEqual(asked)
    const read = packet.decode(bytes)
    expect(read.answers).toMatchObject([
      { name: 'oRdEr.PORTOLAN', data: { target: 'a.instance.order.portolan' } },
    ])
    expect(read.authorities).toMatchObject([{ name: 'PORTOLAN', data: { mname: 'ns.PORTOLAN' } }])
    expect(read.additionals).toMatchObject([{ name: 'a.instance.order.portolan' }])
    const plain = outgoing({ answers: [srv('a')], authority: [soa], additional: [target('a')] })
    const same = Buffer.from(bytes)
    same.set(question('order.portolan'), 12)
    expect(same).toEqual(writeMessage(plain))
  })

  it('takes escaped bytes for what they are', () => {
    const record: DnsRecord = { type: 'PTR', name: 'a\\046b.portolan', ttl: 1, target: '\\000\\255.portolan' }
    const bytes = writeMessage(outgoing({ question: undefined, answers: [record] }))
    expect(bytes.toString('latin1')).toContain('\x03a.b\x08portolan\0')
    expect(bytes.toString('latin1')).toContain('\x02\0\xff\xc0\x10')
  })

  it('cuts answers from the end, with TC', () => {
    const answers = Array.from({ length: 100 }, (_, index) => a(index))
    const edns = { size: 1232, dnssecOk: false }
    const cut = packet.decode(
      writeMessage(outgoing({ answers, authority: [soa], additional: [target('a')], edns })),
    )
    expect(cut.flag_tc).toBe(true)
    expect(cut.answers).toHaveLength(Math.floor((512 - 32 - 11) / 16))
    expect(cut.answers).toMatchObject(answers.slice(0, 29).map(({ name }) => ({ name })))
    expect([cut.authorities?.length, cut.additionals?.length]).toEqual([0, 1])
    const whole = packet.decode(writeMessage(outgoing({ answers, limit: 65_536 })))
    expect([whole.flag_tc, whole.answers?.length]).toEqual([false, 100])
  })

  it('drops additional records without a word', () => {
    const ids = Array.from({ length: 8 }, (_, index) => `i-${index}`)
    const read = packet.decode(writeMessage(outgoing({ answers: ids.map(srv), additional: ids.map(target) })))
    expect([read.flag_tc, read.answers?.length]).toEqual([false, 8])
    expect(read.additionals?.length).toBe(Math.floor((512 - 32 - 8 * (18 + 29)) / 16))
  })

  it('writes no more than 65535 bytes, whatever it may', () => {
    const ids = Array.from({ length: 3000 }, (_, index) => `i-${index}`)
    const bytes = writeMessage(outgoing({ answers: ids.map(srv), additional: ids.map(target), limit: 1e9 }))
    expect(bytes.length).toBeLessThanOrEqual(65_535)
    expect(bytes.length).toBeGreaterThan(65_400)
    const read = packet.decode(bytes)
    expect(read.flag_tc).toBe(true)
    for (const [index, answer] of (read.answers ?? []).entries())
      expect(answer).toMatchObject({ data: { target: `i-${index}.instance.order.portolan` } })
    const texts = Array.from({ length: 300 }, () => 'x'.repeat(255))
    const large = writeMessage(
      outgoing({ answers: [{ type: 'TXT', name: 'order.portolan', ttl: 1, texts }], limit: 1e9 }),
    )
    expect(packet.decode(large)).toMatchObject({ flag_tc: true, answers: [] })
  })

  it('adds no more than those could write who compress less', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `i-${index}`)
    const bytes = writeMessage(
      outgoing({ answers: ids.map(srv), additional: ids.map(target), limit: 65_535 }),
    )
    const added = packet.decode(bytes).additionals ?? []
    expect(added.length).toBeGreaterThan(200)
    const plain = added.reduce((sum, { name }) => sum + name.length + 2 + 14, 0)
    expect(bytes.length + plain - added.length * 16).toBeLessThan(65_535)
  })

  it('points to nothing that pointers cannot reach', () => {
    const texts = Array.from({ length: 70 }, () => 'x'.repeat(255))
    const filler: DnsRecord = { type: 'TXT', name: 'order.portolan', ttl: 1, texts }
    const bytes = writeMessage(
      outgoing({ answers: [filler, srv('a')], additional: [target('a')], limit: 65_535 }),
    )
    expect(packet.decode(bytes).additionals).toMatchObject([{ name: 'a.instance.order.portolan' }])
  })

  it('says TC where it is told to, and repeats opcode and CD', () => {
    const bytes = writeMessage(
      outgoing({
        truncated: true,
        opcode: 5,
        rcode: 'NOTIMP',
        checkingDisabled: true,
        recursionAvailable: true,
      }),
    )
    expect(bytes.readUInt16BE(2).toString(16)).toBe('af94')
  })

  it('writes extended response codes into the OPT record', () => {
    const edns = { size: 1232, dnssecOk: false }
    const bytes = writeMessage(outgoing({ rcode: 'BADCOOKIE', edns, question: undefined }))
    expect(bytes.toString('hex')).toBe(
      '1234850700000000000000010000 2904d0 01000000 0000'.replaceAll(' ', ''),
    )
    expect(() => writeMessage(outgoing({ rcode: 'BADVERS' }))).toThrow('BADVERS takes an OPT record')
  })

  it('leaves header, question and OPT record whatever the limit is', () => {
    const edns = { size: 1232, dnssecOk: false }
    const bytes = writeMessage(outgoing({ answers: [a(1)], authority: [soa], edns, limit: 0 }))
    expect(packet.decode(bytes)).toMatchObject({ flag_tc: true, answers: [], authorities: [] })
    expect(bytes.length).toBe(12 + 20 + 11)
  })

  it.each<DnsRecord>([
    { type: 'A', name: 'x', ttl: 1, address: '1.2.3' },
    { type: 'A', name: 'x', ttl: 1, address: '1.2.3.256' },
    { type: 'A', name: 'x', ttl: 1, address: '1.2.3.4.5' },
    { type: 'A', name: 'x', ttl: 1, address: '1..3.4' },
    { type: 'A', name: 'x', ttl: 1, address: '::1' },
    { type: 'AAAA', name: 'x', ttl: 1, address: '1.2.3.4' },
    { type: 'TXT', name: 'x', ttl: 1, texts: ['ä'.repeat(128)] },
    { type: 'PTR', name: 'x', ttl: 1, target: `${'a'.repeat(64)}.portolan` },
    { type: 'PTR', name: 'a..b', ttl: 1, target: 'x' },
  ])('does not write %j', record => {
    expect(() => writeMessage(outgoing({ answers: [record] }))).toThrow(RangeError)
  })
})
