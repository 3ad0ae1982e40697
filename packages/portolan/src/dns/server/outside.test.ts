import { seededRandom } from '@portolan/core'
import packet from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { settings } from '../answers/testing/ask.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { shopInstances } from '../directory/testing/shop.ts'
import { ClientTrust, type ClientTrustOptions } from '../trust/client-trust.ts'
import { Answerer } from './answerer.ts'
import { DnsMetrics } from './metrics.ts'

const stranger = '203.0.113.9'
const clientCookie = Buffer.from('2464c4abcf10c957', 'hex')

const crowd = Array.from({ length: 300 }, (_, index) =>
  instanceOf('crowd', `c-${index}`, 80, { addresses: [`10.9.${index >> 8}.${index & 255}`] }),
)
const directory = Object.assign(givenDirectory([...shopInstances, ...crowd]), { touched: () => {} })

function server(rate: ClientTrustOptions['rate'] = { perSecond: 1e9, burst: 1e9 }) {
  const trust = new ClientTrust({ trusted: ['10.0.0.0/8'], clock: { now: () => 0 }, rate })
  const answerer = new Answerer({
    context: { directory, settings, addresses: ['192.0.2.53'] },
    directory,
    trust,
    forwarder: undefined,
    random: seededRandom(1),
    metrics: new DnsMetrics(),
    udpSize: 1232,
  })
  const ask = (message: Buffer, address = stranger): Buffer | undefined => {
    const answer = answerer.udp(message, address)
    if (answer instanceof Promise) throw new Error('nobody is asked here')
    return answer
  }
  return { answerer, trust, ask }
}

interface Asked {
  readonly name?: string
  readonly type?: packet.RecordType
  /** Without: no OPT record. */
  readonly size?: number
  readonly cookie?: Uint8Array
}

function question({ name = 'crowd.portolan', type = 'A', size, cookie }: Asked): Buffer {
  const options = cookie === undefined ? [] : [{ code: 10, data: Buffer.from(cookie) }]
  const opt = { type: 'OPT' as const, name: '.', udpPayloadSize: size ?? 0, flags: 0, options }
  return packet.encode({
    type: 'query',
    id: 7,
    questions: [{ name, type }],
    ...(size === undefined ? {} : { additionals: [opt as unknown as packet.Answer] }),
  })
}

/** What dig shows of its head, and the cookie. */
function read(answer: Buffer | undefined) {
  if (answer === undefined) return undefined
  const { flag_tc, answers = [], additionals = [] } = packet.decode(answer)
  const opt = additionals.find(({ type }) => type === 'OPT') as packet.OptAnswer | undefined
  const option = opt?.options?.find(({ code }) => Number(code) === 10) as { data: Buffer } | undefined
  const rcode = ((answer[3] ?? 0) & 15) + ((opt?.extendedRcode ?? 0) << 4)
  return { rcode, truncated: flag_tc, count: answers.length, cookie: option?.data, bytes: answer.length }
}

describe('a client outside the trusted networks', () => {
  it('gets at most ten times its question, and is told where that was cut', () => {
    const { ask } = server()
    const asked = fc.record(
      {
        name: fc.constantFrom(
          'crowd.portolan',
          '_crowd._tcp.portolan',
          'order.portolan',
          'portolan',
          'no.portolan',
          'a.b',
        ),
        type: fc.constantFrom<packet.RecordType>(
          'A',
          'AAAA',
          'SRV',
          'TXT',
          'SOA',
          'NS',
          'ANY' as packet.RecordType,
        ),
        size: fc.nat(65_535),
        cookie: fc.oneof(
          fc.uint8Array({ minLength: 8, maxLength: 8 }),
          fc.uint8Array({ minLength: 24, maxLength: 24 }),
        ),
      },
      { requiredKeys: ['name', 'type'] },
    )
    let cut = 0
    fc.assert(
      fc.property(asked, query => {
        const message = question(query)
        const answer = ask(message)
        expect(answer?.length).toBeLessThanOrEqual(10 * message.length)
        if (read(answer)?.truncated) cut++
      }),
      { numRuns: 200 },
    )
    expect(cut).toBeGreaterThan(10)
  })

  it('gets as much as anybody with a valid cookie, which every answer brings', () => {
    const { ask } = server()
    const first = read(ask(question({ size: 1232, cookie: clientCookie })))
    expect(first).toMatchObject({ rcode: 0, truncated: true })
    expect(first?.cookie).toHaveLength(24)
    const second = read(ask(question({ size: 1232, cookie: first?.cookie ?? clientCookie })))
    expect(second?.bytes).toBeGreaterThan(1100)
    expect(second?.cookie?.subarray(0, 8)).toEqual(clientCookie)
    // Which is good at its own address alone.
    const copied = question({ size: 1232, cookie: first?.cookie ?? clientCookie })
    expect(ask(copied, '203.0.113.10')?.length).toBeLessThanOrEqual(10 * copied.length)
  })

  it('gets all of it by TCP', () => {
    const { answerer } = server()
    const answer = answerer.tcp(question({}), stranger)
    expect(read(answer as Buffer)).toMatchObject({ truncated: false, count: 300 })
  })

  it('gets silence and TC by turns when it asks too often, or a cookie to come back with', () => {
    const { ask } = server({ perSecond: 1, burst: 1 })
    const plain = () => read(ask(question({ name: 'order.portolan' })))
    expect(plain()).toMatchObject({ rcode: 0, truncated: false, count: 2 })
    expect(plain()).toBeUndefined()
    expect(plain()).toMatchObject({ rcode: 0, truncated: true, count: 0 })
    const asking = (cookie: Uint8Array) => read(ask(question({ name: 'order.portolan', size: 1232, cookie })))
    expect(asking(clientCookie)).toBeUndefined()
    const refused = asking(clientCookie)
    expect(refused).toMatchObject({ rcode: 23, truncated: false, count: 0 })
    expect(asking(refused?.cookie ?? clientCookie)).toMatchObject({ rcode: 0, truncated: false, count: 2 })
  })

  it('gets no more answers to what can’t be read than to what can', () => {
    const { ask } = server({ perSecond: 1, burst: 1 })
    const broken = question({}).subarray(0, 20)
    expect(read(ask(broken))).toMatchObject({ rcode: 1 })
    expect(ask(broken)).toBeUndefined()
    expect(ask(broken)).toBeUndefined()
  })
})

describe('a client within them', () => {
  it('gets what its own limit allows, as often as it asks', () => {
    const { ask } = server({ perSecond: 1, burst: 1 })
    for (let time = 0; time < 10; time++) {
      expect(read(ask(question({ size: 1232 }), '10.0.0.5'))?.bytes).toBeGreaterThan(1100)
      expect(read(ask(question({ size: 1232 }), '::ffff:10.0.0.5'))?.bytes).toBeGreaterThan(1100)
    }
  })
})
