import { promises as dns } from 'node:dns'
import { canonicalIp } from '@portolan/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Query } from '../../packages/portolan/src/dns/codec/query.ts'
import type { DnsRecord } from '../../packages/portolan/src/dns/codec/record.ts'
import { outgoing } from '../../packages/portolan/src/dns/codec/testing/outgoing.ts'
import { Opened } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { dig } from './dig.ts'
import { openResponder, type Saying } from './dns-responder.ts'
import { isThere } from './real-servers.ts'

const isMissing = !isThere('dig')
if (isMissing && process.env.CI) throw new Error('dig is not installed: npm run setup:test')

const name = 'order.portolan'
const a = (index: number): DnsRecord => ({
  type: 'A',
  name,
  ttl: 1,
  address: `10.0.${index >> 8}.${index & 255}`,
})
const target = (index: number): string => `order-${index}.instance.${name}`
const srv = (index: number): DnsRecord => ({
  type: 'SRV',
  name,
  ttl: 1,
  priority: 1,
  weight: index,
  port: 8080,
  target: target(index),
})
const targetA = (index: number): DnsRecord => ({ ...a(index), name: target(index) })
const soa: DnsRecord = {
  type: 'SOA',
  name: 'portolan',
  ttl: 1,
  primary: 'ns.portolan',
  mailbox: 'hostmaster.portolan',
  serial: 4_294_967_295,
  refresh: 3600,
  retry: 600,
  expire: 86_400,
  minimum: 1,
}
const many = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index))

const opened = new Opened()
afterEach(() => opened.close())

describe.skipIf(isMissing)('dig', () => {
  const ask = async (saying: Saying | ((query: Query) => Saying), ...args: readonly string[]) => {
    const port = await openResponder(opened, typeof saying === 'function' ? saying : () => saying)
    const [dug] = await dig(port, args)
    if (dug === undefined) throw new Error('dig says nothing')
    expect(dug.warnings).toEqual([])
    return dug
  }

  it('reads records of every kind as they were meant', async () => {
    const answers: readonly DnsRecord[] = [
      a(1),
      { type: 'AAAA', name, ttl: 0, address: '2001:db8::1' },
      srv(1),
      { type: 'TXT', name, ttl: 604_800, texts: ['id=order-1', '', 'zone=\\"ä" ;', 'x'.repeat(255)] },
      { type: 'PTR', name: '1.0.0.10.in-addr.arpa', ttl: 1, target: target(1) },
      { type: 'HINFO', name, ttl: 1, cpu: 'RFC8482', os: '' },
    ]
    const authority: readonly DnsRecord[] = [
      soa,
      { type: 'NS', name: 'portolan', ttl: 1, target: 'ns.portolan' },
    ]
    const dug = await ask({ answers, authority, additional: [targetA(1)] }, name, 'ANY')
    expect(dug).toMatchObject({
      status: 'NOERROR',
      flags: ['qr', 'aa'],
      answer: answers,
      authority,
      additional: [targetA(1)],
    })
  })

  it('reads what there is not', async () => {
    const dug = await ask({ rcode: 'NXDOMAIN', authority: [soa] }, 'nobody.portolan', 'SRV')
    expect(dug).toMatchObject({ status: 'NXDOMAIN', answer: [], authority: [soa] })
  })

  it('asks again over TCP for what was cut, and reads all of it', async () => {
    const answers = many(1000, srv)
    const additional = many(1000, targetA)
    const dug = await ask({ answers, additional }, name, 'SRV')
    expect(dug).toMatchObject({ overTcp: true, flags: ['qr', 'aa'], answer: answers })
    expect(dug.additional.length).toBeGreaterThan(200)
    expect(dug.additional).toEqual(additional.slice(0, dug.additional.length))
  })

  it('reads the whole records of what was cut', async () => {
    const answers = many(100, a)
    const large = await ask({ answers }, name, 'A', '+ignore')
    expect(large).toMatchObject({ flags: ['qr', 'aa', 'tc'], answer: answers.slice(0, 72) })
    const small = await ask({ answers }, name, 'A', '+ignore', '+noedns')
    expect(small).toMatchObject({ flags: ['qr', 'aa', 'tc'], answer: answers.slice(0, 30), edns: [] })
  })

  it('finds its question again however it spelt it', async () => {
    const dug = await ask({ answers: [a(1)], authority: [soa] }, 'oRdEr.PORTOLAN', 'A')
    expect(dug.answer).toEqual([{ ...a(1), name: 'oRdEr.PORTOLAN' }])
    expect(dug.authority).toMatchObject([{ name: 'PORTOLAN', primary: 'ns.PORTOLAN' }])
  })

  it('sees its cookie again, DO, and our size', async () => {
    const dug = await ask({ answers: [a(1)] }, name, 'A', '+dnssec', '+cookie=0102030405060708')
    expect(dug.edns).toEqual([
      'EDNS: version: 0, flags: do; udp: 1232',
      `COOKIE: 0102030405060708${'5c'.repeat(16)} (good)`,
    ])
  })

  it('is told what we do not know', async () => {
    const version = await ask({}, name, 'A', '+edns=1', '+noednsnegotiation')
    expect(version).toMatchObject({ status: 'BADVERS', answer: [] })
    const opcode = await ask({}, name, 'A', '+opcode=15')
    expect(opcode).toMatchObject({ status: 'NOTIMP', opcode: 'RESERVED15' })
    const cookie = await ask({ rcode: 'BADCOOKIE' }, name, 'A', '+nobadcookie')
    expect(cookie.status).toBe('BADCOOKIE')
  })

  it('asks for names that nobody has, and we read the same ones', async () => {
    const names: string[] = []
    const port = await openResponder(opened, query => {
      names.push(query.name)
      return { answers: [{ ...a(1), name: query.name }] }
    })
    const asked = ['a\\.b.portolan', '\\000\\255\\ .portolan', 'a\\\\.b', '.', `${'x'.repeat(63)}.\\"\\$`]
    const dug = await dig(port, ...asked.map(text => ['-q', text, '-t', 'A']))
    expect(names).toEqual([
      'a\\046b.portolan',
      '\\000\\255\\032.portolan',
      'a\\092.b',
      '',
      `${'x'.repeat(63)}."$`,
    ])
    expect(dug.map(({ answer }) => answer[0]?.name)).toEqual(names)
  })

  it('reads whatever we write as dns-packet does', async () => {
    const samples = fc.sample(outgoing, { numRuns: 60, seed: 1 })
    const port = await openResponder(opened, query => {
      const { answers = [], authority = [], additional = [] } = samples[Number(query.name)] ?? {}
      return { answers, authority, additional }
    })
    const dug = await dig(port, ...samples.map((_, index) => [String(index), 'A', '+tcp']))
    expect(dug.length).toBe(samples.length)
    let whole = 0
    for (const [index, { answers, authority, additional }] of samples.entries()) {
      const read = dug[index]
      expect(read?.warnings).toEqual([])
      const isCut = read?.flags.includes('tc')
      const all = [...answers, ...authority, ...additional].map(asDigSays)
      const got = [...(read?.answer ?? []), ...(read?.authority ?? []), ...(read?.additional ?? [])]
      expect(got).toEqual(all.slice(0, got.length))
      if (got.length === all.length) whole++
      else expect(isCut || got.length >= answers.length).toBe(true)
    }
    expect(whole).toBeGreaterThan(40)
  })
})

/** There is always a text, and an address is spelt in one way. */
function asDigSays(record: DnsRecord): DnsRecord {
  if (record.type === 'TXT' && record.texts.length === 0) return { ...record, texts: [''] }
  if (record.type === 'AAAA') return { ...record, address: canonicalIp(record.address) ?? '' }
  return record
}

describe('c-ares', () => {
  async function resolverOf(saying: Saying): Promise<dns.Resolver> {
    const port = await openResponder(opened, () => saying)
    const resolver = new dns.Resolver({ timeout: 5000, tries: 2 })
    resolver.setServers([`127.0.0.1:${port}`])
    return resolver
  }

  it.each([100, 700, 800, 900, 1000, 1200])(
    'reads %i SRV records over TCP, with what goes along',
    async count => {
      const resolver = await resolverOf({ answers: many(count, srv), additional: many(count, targetA) })
      const read = await resolver.resolveSrv(name)
      // Later versions of Node name the type, too.
      expect(
        read.map(({ name: to, port, priority, weight }) => ({ name: to, port, priority, weight })),
      ).toEqual(many(count, index => ({ name: target(index), port: 8080, priority: 1, weight: index })))
    },
  )

  it('reads 3,000 addresses over TCP', async () => {
    const resolver = await resolverOf({ answers: many(3000, a) })
    expect(await resolver.resolve4(name)).toHaveLength(3000)
  })

  it('tells a name without such records from one that nobody has', async () => {
    const empty = await resolverOf({ authority: [soa] })
    await expect(empty.resolve4(name)).rejects.toMatchObject({ code: 'ENODATA' })
    const unknown = await resolverOf({ rcode: 'NXDOMAIN', authority: [soa] })
    await expect(unknown.resolve4(name)).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })

  it('reads addresses, texts and pointers', async () => {
    const texts = ['id=order-1', 'zone=a']
    const ptr = '1.0.0.10.in-addr.arpa'
    const resolver = await resolverOf({
      answers: [
        a(1),
        a(2),
        { type: 'TXT', name, ttl: 1, texts },
        { type: 'PTR', name: ptr, ttl: 1, target: target(1) },
      ],
    })
    expect(await resolver.resolve4(name, { ttl: true })).toEqual([
      { address: '10.0.0.1', ttl: 1 },
      { address: '10.0.0.2', ttl: 1 },
    ])
    expect(await resolver.resolveTxt(name)).toEqual([texts])
    expect(await resolver.reverse('10.0.0.1')).toEqual([target(1)])
  })
})
