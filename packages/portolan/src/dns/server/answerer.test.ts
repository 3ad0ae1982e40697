import { type Instance, seededRandom } from '@portolan/core'
import { type DecodedPacket, decode, encode } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { settings } from '../answers/testing/ask.ts'
import { rcodes } from '../codec/codes.ts'
import { openDirectory } from '../directory/open-directory.ts'
import { StaticCatalogue } from '../directory/testing/static-catalogue.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import { ClientTrust } from '../trust/client-trust.ts'
import { Answerer } from './answerer.ts'
import { DnsMetrics } from './metrics.ts'

const order = { namespace: 'default', service: 'order' }
const near = '127.0.0.1'
const stranger = '192.0.2.7'

const three = [1, 2, 3].map(n => instanceOf('order', `order-${n}`, 8080, { addresses: [`10.0.0.${n}`] }))

const many = (count: number): readonly Instance[] =>
  Array.from({ length: count }, (_, index) =>
    instanceOf('order', `o-${String(index).padStart(4, '0')}`, 8080, {
      addresses: [`10.1.${index >> 8}.${index & 255}`],
    }),
  )

/** @param instances null: nobody has told yet what there is */
function open(instances: readonly Instance[] | null = three, forwarder?: Forwarder) {
  let now = 0
  const clock = { now: () => now }
  const catalogue = new StaticCatalogue()
  const timers = { after: () => () => {} }
  const directory = openDirectory({ resolver: catalogue, clock, timers, ttlMs: 1000 })
  if (instances !== null) {
    catalogue.list([order])
    catalogue.give(order, instances)
  }
  const metrics = new DnsMetrics()
  const answerer = new Answerer({
    context: { directory, settings, addresses: ['192.0.2.53'] },
    directory,
    trust: new ClientTrust({ trusted: ['127.0.0.0/8'], clock, wall: () => 1e12 + now }),
    forwarder,
    random: seededRandom(1),
    metrics,
    udpSize: 1232,
  })
  return { answerer, catalogue, metrics, wait: (ms: number) => (now += ms) }
}

type Options = Parameters<typeof encode>[0]

let nextId = 1

function question(name: string, type: 'A' | 'AAAA' | 'SRV' = 'A', options: Options = {}): Buffer {
  return encode({ type: 'query', id: nextId++, flags: 0x100, questions: [{ name, type }], ...options })
}

const edns = (udpPayloadSize: number, cookie?: Uint8Array): Options => ({
  additionals: [
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize,
      flags: 0,
      options: cookie === undefined ? [] : [{ code: 10, data: Buffer.from(cookie) }],
    } as never,
  ],
})

type Answered = ReturnType<Answerer['udp']>

function bytesOf(answer: Answered): Buffer {
  if (!Buffer.isBuffer(answer)) throw new Error('there is no answer, or not yet')
  return answer
}

const read = (answer: Answered): DecodedPacket => decode(bytesOf(answer))
const rcodeOf = (answer: Answered): number => (bytesOf(answer)[3] as number) & 15
const isCut = (answer: Answered): boolean => ((bytesOf(answer)[2] as number) & 2) !== 0
const addressesOf = (answer: Answered): readonly string[] =>
  (read(answer).answers ?? []).flatMap(record => (record.type === 'A' ? [record.data] : []))

describe('Answerer', () => {
  it('repeats id, question and RD, whatever it kept of another query', () => {
    const { answerer } = open()
    for (const name of ['order.portolan', 'oRdEr.PORTOLAN', 'order.portolan']) {
      for (const flags of [0x100, 0, 0x10]) {
        const query = question(name, 'A', { flags })
        const answer = bytesOf(answerer.udp(query, near))
        expect(answer.readUInt16BE(0)).toBe(query.readUInt16BE(0))
        expect(answer.subarray(12, query.length)).toEqual(query.subarray(12))
        expect(answer.readUInt16BE(2) & 0x0110).toBe(flags)
        expect([...addressesOf(answer)].sort()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
      }
    }
  })

  it('has a change in the very next answer, over UDP and TCP', () => {
    const { answerer, catalogue } = open()
    for (let left = 3; left >= 0; left--) {
      for (let again = 0; again < 3; again++) {
        expect(addressesOf(answerer.udp(question('order.portolan'), near))).toHaveLength(left)
        expect(addressesOf(answerer.tcp(question('order.portolan'), near))).toHaveLength(left)
      }
      catalogue.give(order, three.slice(0, Math.max(0, left - 1)))
    }
  })

  it('answers from what it kept, and counts that', () => {
    const { answerer, metrics } = open()
    for (let i = 0; i < 10; i++) answerer.udp(question('order.portolan'), near)
    answerer.udp(question('nothing.portolan'), near)
    expect(metrics.udp).toBe(11)
    expect(metrics.ready).toBe(9)
    expect([metrics.rcodes[rcodes.NOERROR], metrics.rcodes[rcodes.NXDOMAIN]]).toEqual([10, 1])
  })

  it('counts codes that an OPT record says a part of', () => {
    const { answerer, metrics } = open()
    const query = question('order.portolan', 'A', edns(1232))
    // The version of EDNS, behind the OPT record's type, size and extended code.
    query[query.length - 5] = 1
    answerer.udp(query, near)
    expect([metrics.rcodes[rcodes.BADVERS], metrics.rcodes[rcodes.NOERROR]]).toEqual([1, 0])
  })

  it('keeps no more in memory than it counts', () => {
    const { answerer } = open(many(3000))
    for (let size = 512; size < 1200; size++) answerer.udp(question('order.portolan', 'A', edns(size)), near)
    expect(answerer.keptBytes).toBeLessThan(64 * 1024 * 1024)
    expect(answerer.keptBytes).toBeGreaterThan(16 * 1024 * 1024)
  })

  it('gives clients different first addresses', () => {
    const { answerer } = open()
    const firsts = Array.from(
      { length: 300 },
      () => addressesOf(answerer.udp(question('order.portolan'), near))[0],
    )
    for (const { addresses } of three) {
      const share = firsts.filter(first => first === addresses[0]).length / firsts.length
      expect(share).toBeGreaterThan(0.15)
      expect(share).toBeLessThan(0.55)
    }
  })

  it('keeps to what the client takes over UDP, says what it cut, and has it all over TCP', () => {
    const { answerer } = open(many(200))
    const sizes = [undefined, 100, 700, 1232, 4096].map(size => {
      const answer = answerer.udp(question('order.portolan', 'A', size === undefined ? {} : edns(size)), near)
      expect(isCut(answer)).toBe(true)
      return bytesOf(answer).length
    })
    const limits = [512, 512, 700, 1232, 1232]
    sizes.forEach((size, index) => {
      expect(size).toBeLessThanOrEqual(limits[index] as number)
      expect(size).toBeGreaterThan((limits[index] as number) - 40)
    })
    const whole = answerer.tcp(question('order.portolan', 'A', edns(512)), near)
    expect(isCut(whole)).toBe(false)
    expect(addressesOf(whole)).toHaveLength(200)
  })

  it('shows every instance of many in time', () => {
    const { answerer } = open(many(200))
    const seen = new Set<string>()
    for (let i = 0; i < 1000; i++)
      for (const address of addressesOf(answerer.udp(question('order.portolan'), near))) seen.add(address)
    expect(seen.size).toBe(200)
  })

  it('fails what it does not know yet, and answers once it does', () => {
    const { answerer, catalogue } = open(null)
    const asked = () => rcodeOf(answerer.udp(question('order.portolan'), near))
    expect([asked(), asked()]).toEqual([rcodes.SERVFAIL, rcodes.SERVFAIL])
    catalogue.list([order])
    expect(asked()).toBe(rcodes.SERVFAIL)
    catalogue.give(order, three)
    expect(asked()).toBe(rcodes.NOERROR)
  })

  it('sends strangers to TCP for what is ten times their question, until they show our cookie', () => {
    const { answerer } = open(many(200))
    const query = question('order.portolan', 'A', edns(1232, Buffer.from('0123456789abcdef', 'hex')))
    const cut = bytesOf(answerer.udp(query, stranger))
    expect(isCut(cut)).toBe(true)
    expect(cut.length).toBeLessThanOrEqual(10 * query.length)
    const [option] = (read(cut).additionals ?? []).flatMap(record =>
      record.type === 'OPT' ? record.options : [],
    )
    const cookie = (option as unknown as { data: Buffer }).data
    expect(cookie).toHaveLength(24)
    const proven = bytesOf(answerer.udp(question('order.portolan', 'A', edns(1232, cookie)), stranger))
    expect(proven.length).toBeGreaterThan(10 * query.length)
  })

  it('refuses strangers other names, and asks for those who are trusted', async () => {
    const asked: string[] = []
    const forwarder: Forwarder = {
      async ask(query) {
        asked.push(query.name)
        return Buffer.from(
          encode({ type: 'response', id: query.id, questions: [{ name: query.name, type: 'A' }] }),
        )
      },
      close: async () => {},
    }
    const { answerer } = open(three, forwarder)
    expect(rcodeOf(answerer.udp(question('example.com'), stranger))).toBe(rcodes.REFUSED)
    expect(rcodeOf(answerer.tcp(question('example.com'), stranger))).toBe(rcodes.REFUSED)
    expect(asked).toEqual([])
    const answer = await answerer.udp(question('example.com'), near)
    expect(asked).toEqual(['example.com'])
    expect(rcodeOf(answer)).toBe(rcodes.NOERROR)
    expect(rcodeOf(open().answerer.udp(question('example.com'), near))).toBe(rcodes.REFUSED)
  })

  it('cuts what others said to what the client takes, and shows its cookie there, too', async () => {
    const cookie = Buffer.from('0123456789abcdef', 'hex')
    const answers = Array.from({ length: 100 }, (_, index) => ({
      name: 'example.com',
      type: 'A' as const,
      ttl: 60,
      data: `192.0.2.${index}`,
    }))
    const forwarder: Forwarder = {
      ask: async ({ id }) =>
        Buffer.from(
          encode({
            type: 'response',
            id,
            questions: [{ name: 'example.com', type: 'A' }],
            answers,
            ...edns(1232),
          }),
        ),
      close: async () => {},
    }
    const { answerer } = open(three, forwarder)
    const query = () => question('example.com', 'A', edns(1232, cookie))
    const cut = bytesOf((await answerer.udp(query(), near)) as Buffer)
    expect(isCut(cut)).toBe(true)
    expect(cut.length).toBeLessThanOrEqual(1232)
    const whole = (await answerer.tcp(query(), near)) as Buffer
    expect(addressesOf(whole)).toHaveLength(100)
    for (const answer of [cut, whole]) {
      expect(answer.includes(Buffer.concat([Buffer.from([0, 10, 0, 24]), cookie]))).toBe(true)
    }
  })

  it('answers no answer and nothing less than a header, refuses what it cannot read', () => {
    const { answerer, metrics } = open()
    const response = question('order.portolan')
    response[2] = 0x80
    for (const silent of [Buffer.alloc(11), response]) expect(answerer.udp(silent, near)).toBeUndefined()
    expect(metrics.dropped).toBe(2)
    const notify = question('order.portolan')
    notify[2] = 0x20
    expect(rcodeOf(answerer.udp(notify, near))).toBe(rcodes.NOTIMP)
    expect(rcodeOf(answerer.udp(question('order.portolan').subarray(0, 20), near))).toBe(rcodes.FORMERR)
  })
})
