import { decode } from 'dns-packet'
import fc from 'fast-check'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { Opened } from '../../proxy/testing/harness.ts'
import { settle, virtualTime } from '../../registry/testing/virtual-time.ts'
import type { Query } from '../codec/query.ts'
import { a, soa } from './testing/answers.ts'
import { openTested } from './testing/open-tested.ts'
import { queryFor, withDnssec, withEdns } from './testing/queries.ts'
import { ScriptedExchange } from './testing/scripted-exchange.ts'
import type { Exchange } from './upstream/exchange.ts'

const opened = new Opened()
afterEach(() => opened.close())

const upstreams = [
  { host: '192.0.2.53', port: 53 },
  { host: '198.51.100.53', port: 53 },
]
const good = { answers: [a('a.example', 10)] }

function open(rest: { cacheSize?: number } = {}) {
  const time = virtualTime()
  const script = new ScriptedExchange()
  const forwarder = openTested(opened, upstreams, {
    clock: time,
    timers: time,
    exchange: script.exchange,
    ...rest,
  })
  /** What became of each question, once it has. */
  const ask = (query: Query) => {
    const asked: { reply: Buffer | undefined; rcode: () => string | undefined; ttl: () => unknown } = {
      reply: undefined,
      rcode: () => asked.reply && (decode(asked.reply) as unknown as { rcode: string }).rcode,
      ttl: () => {
        const [first] = (asked.reply && decode(asked.reply).answers) ?? []
        return first && 'ttl' in first ? first.ttl : undefined
      },
    }
    void forwarder.ask(query).then(reply => {
      asked.reply = reply
    })
    return asked
  }
  return { time, script, forwarder, ask }
}

describe('questions that are asked at the same time', () => {
  it('are asked once, and answered each in its own case', async () => {
    const { script, ask } = open()
    const all = ['a.example', 'A.example', 'a.EXAMPLE'].map(name => queryFor(name))
    const asked = all.map(ask)
    expect(script.attempts.length).toBe(1)
    script.last.say(good)
    await settle()
    for (const [index, { reply }] of asked.entries()) {
      if (reply === undefined) throw new Error('not answered')
      expect(reply.readUInt16BE(0)).toBe(all[index]?.id)
      expect(reply.includes(Buffer.from(all[index]?.question ?? []))).toBe(true)
    }
  })

  it('are different ones by type, DO and CD', () => {
    const { script, ask } = open()
    const name = 'a.example'
    for (const query of [
      queryFor(name),
      queryFor(name, 28),
      queryFor(name, 1, withDnssec),
      queryFor(name, 1, { checkingDisabled: true }),
      queryFor(name, 1, withEdns),
    ])
      ask(query)
    expect(script.attempts.length).toBe(4)
  })

  it('are SERVFAIL at once when there are too many', async () => {
    const { script, ask, forwarder } = open()
    for (let count = 0; count < 2048; count++) ask(queryFor(`n${count}.example`))
    expect(script.open.length).toBe(2048)
    const more = ask(queryFor('more.example'))
    const known = ask(queryFor('n0.example'))
    await settle()
    expect([more.rcode(), known.reply]).toEqual(['SERVFAIL', undefined])
    expect(await forwarder.metric('questions_total{result="overloaded"}')).toBe(1)
    expect(await forwarder.metric('under_way')).toBe(2048)
  })

  it('do not wait in any number', async () => {
    const { ask, forwarder, script } = open()
    for (let count = 0; count < 16_384; count++) ask(queryFor('a.example'))
    expect(script.attempts.length).toBe(1)
    const more = ask(queryFor('a.example'))
    await settle()
    expect(more.rcode()).toBe('SERVFAIL')
    await forwarder.close()
  })

  it('may lie in memory that is used again', async () => {
    const { script, ask } = open()
    const query = queryFor('a.example')
    const asked = ask(query)
    ;(query.question as Uint8Array).fill(0xff)
    script.last.say(good)
    await settle()
    expect(asked.reply && decode(asked.reply).questions?.[0]?.name).toBe('a.example')
  })
})

describe('what is known already', () => {
  it('is answered with what is left of its time', async () => {
    const { script, ask, time, forwarder } = open()
    ask(queryFor('a.example'))
    script.last.say(good)
    await time.pass(4000)
    const again = ask(queryFor('a.example'))
    await settle()
    expect([again.ttl(), script.attempts.length]).toEqual([6, 1])
    expect(await forwarder.metric('questions_total{result="cache"}')).toBe(1)
    expect(await forwarder.metric('cache_answers')).toBe(1)
  })

  it('may be that there is nothing', async () => {
    const { script, ask, time } = open()
    ask(queryFor('a.example'))
    script.last.say({ rcode: 3, authorities: [soa('example', 3600, 3600)] })
    await time.pass(53_000)
    const again = ask(queryFor('a.example'))
    await time.pass(7000)
    const later = ask(queryFor('a.example'))
    await settle()
    expect([again.rcode(), later.rcode(), script.attempts.length]).toEqual(['NXDOMAIN', undefined, 2])
  })

  it('may be, for a second, that nobody could say', async () => {
    const { script, ask, time } = open()
    ask(queryFor('a.example'))
    for (const _ of upstreams) script.last.say({ rcode: 2 })
    await time.pass(999)
    const again = ask(queryFor('a.example'))
    await settle()
    expect([again.rcode(), script.attempts.length]).toEqual(['SERVFAIL', 2])
    await time.pass(1)
    ask(queryFor('a.example'))
    expect(script.attempts.length).toBe(3)
  })

  it('is asked for anew before its time is over, if it is still wanted', async () => {
    const { script, ask, time, forwarder } = open()
    ask(queryFor('a.example'))
    script.last.say(good)
    await time.pass(9000)
    const asked = [ask(queryFor('a.example')), ask(queryFor('a.example'))]
    await settle()
    expect(asked.map(({ ttl }) => ttl())).toEqual([1, 1])
    expect(script.attempts.length).toBe(2)
    script.last.say(good)
    await time.pass(5000)
    const later = ask(queryFor('a.example'))
    await settle()
    expect([later.ttl(), script.attempts.length]).toEqual([5, 2])
    expect(await forwarder.metric('prefetched_total')).toBe(1)
  })

  it('is all forgotten where nothing may be kept', async () => {
    const { script, ask } = open({ cacheSize: 0 })
    ask(queryFor('a.example'))
    script.last.say(good)
    await settle()
    ask(queryFor('a.example'))
    expect(script.attempts.length).toBe(2)
  })
})

describe('what was known once', () => {
  async function stale() {
    const all = open()
    all.ask(queryFor('a.example'))
    all.script.last.say(good)
    await all.time.pass(60_000)
    return all
  }

  it('is asked for anew', async () => {
    const { script, ask } = await stale()
    const asked = ask(queryFor('a.example'))
    script.last.say({ answers: [a('a.example', 77)] })
    await settle()
    expect(asked.ttl()).toBe(77)
  })

  it('is served for 30 s when nobody can say, and then at once for a while', async () => {
    const { script, ask, time, forwarder } = await stale()
    const asked = ask(queryFor('a.example'))
    for (const _ of upstreams) script.last.fail('unreachable')
    await settle()
    expect([asked.rcode(), asked.ttl()]).toEqual(['NOERROR', 30])
    const before = script.attempts.length
    await time.pass(4000)
    const again = ask(queryFor('a.example'))
    await settle()
    expect([again.ttl(), script.attempts.length]).toEqual([30, before])
    await time.pass(1000)
    ask(queryFor('a.example'))
    expect(script.attempts.length).toBe(before + 1)
    expect(await forwarder.metric('questions_total{result="stale"}')).toBe(2)
  })

  it('is served when an answer is long in coming, and the answer to those who come later', async () => {
    const { script, ask, time } = await stale()
    const asked = ask(queryFor('a.example'))
    await time.pass(1799)
    expect(asked.reply).toBeUndefined()
    await time.pass(1)
    expect(asked.ttl()).toBe(30)
    script.open[0]?.say({ answers: [a('a.example', 77)] })
    const later = ask(queryFor('a.example'))
    await settle()
    expect(later.ttl()).toBe(77)
  })

  it('is of no use after an hour', async () => {
    const { script, ask, time } = await stale()
    await time.pass(3_600_000)
    const asked = ask(queryFor('a.example'))
    for (const _ of upstreams) script.last.fail('unreachable')
    await settle()
    expect(asked.rcode()).toBe('SERVFAIL')
  })
})

describe('what nobody else is asked', () => {
  it.each([
    ['a zone transfer', queryFor('example.com', 252), 'REFUSED'],
    ['CHAOS', queryFor('version.bind', 16, { class: 3 }), 'REFUSED'],
    ['an OPT record', queryFor('example.com', 41), 'REFUSED'],
    ['no recursion', queryFor('example.com', 1, { recursionDesired: false }), 'REFUSED'],
    ['ANY', queryFor('example.com', 255, withEdns), 'NOERROR'],
    ['localhost', queryFor('LocalHost', 1, { ...withDnssec, recursionDesired: false }), 'NOERROR'],
    ['printers next door', queryFor('printer.local'), 'NXDOMAIN'],
    ['names of a private network', queryFor('5.0.0.10.in-addr.arpa', 12), 'NXDOMAIN'],
  ])('%s', async (_, query, rcode) => {
    const { script, ask } = open()
    const asked = ask(query)
    await settle()
    expect([asked.rcode(), script.attempts.length]).toEqual([rcode, 0])
    expect(asked.reply?.readUInt16BE(0)).toBe(query.id)
    expect(asked.reply?.subarray(12, 12 + query.question.length).equals(query.question)).toBe(true)
    const opt = asked.reply?.subarray(-11).toString('hex')
    if (query.edns !== undefined) expect(opt).toMatch(/^00002904d00000[08]0000000$/)
  })

  it('names of a private network, which may be known a moment later', async () => {
    const forwarder = openTested(opened, upstreams, { negativeTtl: 2 })
    expect((await forwarder.read(queryFor('5.0.0.10.in-addr.arpa', 12))).authorities).toMatchObject([
      { type: 'SOA', ttl: 2, data: { minimum: 2 } },
    ])
  })

  it('but a resolver inside is asked for names of its network', () => {
    const time = virtualTime()
    const script = new ScriptedExchange()
    const inside = [{ host: '10.0.0.2', port: 53 }]
    const forwarder = openTested(opened, inside, { clock: time, timers: time, exchange: script.exchange })
    void forwarder.ask(queryFor('5.0.0.10.in-addr.arpa', 12))
    expect(script.attempts.length).toBe(1)
  })

  it('everything, where there are no resolvers', async () => {
    const forwarder = openTested(opened, [])
    expect(await forwarder.read(queryFor('a.example'))).toMatchObject({ rcode: 'REFUSED' })
  })
})

describe('a forwarder that is closed', () => {
  it('answers those who wait, and leaves nothing open', async () => {
    const { script, ask, time, forwarder } = open()
    const asked = [ask(queryFor('a.example')), ask(queryFor('b.example'))]
    await forwarder.close()
    await settle()
    expect(asked.map(({ rcode }) => rcode())).toEqual(['SERVFAIL', 'SERVFAIL'])
    expect([script.open.length, time.waiting]).toEqual([0, 0])
    const late = ask(queryFor('c.example'))
    await settle()
    expect(late.rcode()).toBe('SERVFAIL')
  })
})

describe('a question that cannot be put', () => {
  function openBroken() {
    const time = virtualTime()
    const script = new ScriptedExchange()
    const told: unknown[] = []
    const log = pino({ level: 'error' }, { write: line => told.push(JSON.parse(line)) })
    let isBroken = true
    const exchange: Exchange = (...asked) => {
      if (isBroken) throw new Error('not within the call')
      return script.exchange(...asked)
    }
    const forwarder = openTested(opened, upstreams, { clock: time, timers: time, log, exchange })
    const mend = () => {
      isBroken = false
    }
    return { time, script, told, forwarder, mend }
  }

  it('is SERVFAIL, and nothing of it is left for later ones', async () => {
    const { time, script, forwarder, mend } = openBroken()
    expect((await forwarder.ask(queryFor('a.example'))).readUInt16BE(2) & 15).toBe(2)
    expect([time.waiting, await forwarder.metric('under_way')]).toEqual([0, 0])
    mend()
    await time.pass(2000)
    const asked = [forwarder.ask(queryFor('a.example'))]
    await time.pass(1500)
    const before = script.attempts.length
    asked.push(forwarder.ask(queryFor('a.example')))
    expect(script.attempts.length).toBe(before)
    script.last.say(good)
    for (const reply of await Promise.all(asked)) expect(reply.readUInt16BE(6)).toBe(1)
  })

  it('is told of once in ten seconds, with how many there were', async () => {
    const { time, told, forwarder } = openBroken()
    for (let count = 0; count < 50; count++) await forwarder.ask(queryFor(`n${count}.example`))
    expect(told).toMatchObject([{ event: 'forward-failed', unsaid: 0 }])
    await time.pass(10_000)
    await forwarder.ask(queryFor('a.example'))
    expect(told).toMatchObject([{}, { event: 'forward-failed', unsaid: 49 }])
  })
})

it('refuses resolvers that are named', () => {
  expect(() => openTested(opened, [{ host: 'dns.example', port: 53 }])).toThrow(/dns\.example:53 is named/)
})

it('answers everybody once and in time, whoever asks what when, and whatever comes of it', async () => {
  const step = fc.record({
    ms: fc.nat(3000),
    name: fc.constantFrom('a.example', 'b.example', 'c.example'),
    what: fc.constantFrom('good', 'short', 'nothing', 'servfail', 'silent', 'gone'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const { script, ask, time, forwarder } = open({ cacheSize: 2 })
      const asked = []
      for (const { ms, name, what } of steps) {
        asked.push(ask(queryFor(name)))
        const attempt = script.open.at(-1)
        if (what === 'good') attempt?.say({ answers: [a(name, 10)] })
        if (what === 'short') attempt?.say({ answers: [a(name, 0)] })
        if (what === 'nothing') attempt?.say({ rcode: 3, authorities: [soa('example', 5, 5)] })
        if (what === 'servfail') attempt?.say({ rcode: 2 })
        if (what === 'gone') attempt?.fail('unreachable')
        await time.pass(ms)
      }
      await time.pass(3000)
      for (const { reply } of asked) expect(reply && decode(reply).questions?.length).toBe(1)
      expect(time.waiting).toBe(0)
      expect(script.open).toEqual([])
      await forwarder.close()
    }),
    { numRuns: 40 },
  )
})
