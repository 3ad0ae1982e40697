import fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { virtualTime } from '../../../registry/testing/virtual-time.ts'
import { a } from '../testing/answers.ts'
import { questionBytes } from '../testing/queries.ts'
import { ScriptedExchange } from '../testing/scripted-exchange.ts'
import type { Trouble } from './exchange.ts'
import { Resolution, type Resolved } from './resolution.ts'
import { Upstream } from './upstreams.ts'

const question = { type: 1, bytes: questionBytes('a.example', 1), dnssecOk: false, checkingDisabled: false }
const good = { answers: [a('a.example')] }
const servfail = { rcode: 2 }

function resolve(count: number, timeoutMs = 3000) {
  const time = virtualTime()
  const script = new ScriptedExchange()
  const log = pino({ level: 'silent' })
  const upstreams = Array.from(
    { length: count },
    (_, n) => new Upstream({ host: '192.0.2.1', port: n + 1 }, log),
  )
  const settled: (Resolved | undefined)[] = []
  let closed = 0
  const begin = () =>
    new Resolution({ upstreams, exchange: script.exchange, clock: time, timers: time, timeoutMs }, question, {
      settle: resolved => settled.push(resolved),
      closed: () => closed++,
    })
  const ports = () => script.attempts.map(({ upstream }) => upstream.port)
  return { time, script, upstreams, settled, begin, ports, closed: () => closed, resolution: begin() }
}

describe('a resolution', () => {
  it('takes the first upstream’s answer', () => {
    const { script, settled, time, closed } = resolve(2)
    script.last.say(good)
    expect(settled).toMatchObject([{ verdict: { kind: 'positive' } }])
    expect([script.attempts.length, script.open.length, time.waiting, closed()]).toEqual([1, 0, 0, 1])
  })

  it('asks the next one after a while, and still takes what comes late', async () => {
    const { script, settled, time, ports, upstreams } = resolve(2)
    await time.pass(399)
    expect(ports()).toEqual([1])
    await time.pass(1)
    expect(ports()).toEqual([1, 2])
    expect(upstreams[0]?.failures.timeout).toBe(1)
    script.attempts[0]?.say(good, 420)
    expect(settled.length).toBe(1)
    expect(script.open).toEqual([])
    expect(upstreams[0]?.health.roundTripMs).toBe(420)
  })

  it.each<Trouble>(['unreachable', 'broken', 'garbage'])('asks the next one at once after %s', trouble => {
    const { script, settled, ports, upstreams } = resolve(2)
    script.last.fail(trouble)
    expect(ports()).toEqual([1, 2])
    script.last.say(good)
    expect(settled.length).toBe(1)
    expect(upstreams[0]?.failures).toMatchObject({ [trouble]: 1 })
  })

  it('asks the next one at once after SERVFAIL, and blames who would not say what another one did', () => {
    const { script, settled, ports, upstreams } = resolve(2)
    script.last.say(servfail)
    expect(ports()).toEqual([1, 2])
    expect(upstreams[0]?.failures.refused).toBe(0)
    script.last.say(good)
    expect(settled).toMatchObject([{ verdict: { kind: 'positive' } }])
    expect(upstreams[0]?.failures.refused).toBe(1)
  })

  it('ends when all have answered and none would say, and blames nobody', () => {
    const { script, settled, upstreams, time } = resolve(2)
    script.last.say(servfail)
    script.last.say({ rcode: 5 })
    expect(settled).toEqual([undefined])
    expect(upstreams.map(({ failures }) => failures.refused)).toEqual([0, 0])
    expect(time.waiting).toBe(0)
  })

  it('asks a silent one three times, and gives up when the time is over', async () => {
    const { settled, time, ports, closed, script } = resolve(1)
    await time.pass(2999)
    expect(ports()).toEqual([1, 1, 1])
    expect(settled).toEqual([])
    await time.pass(1)
    expect(settled).toEqual([undefined])
    expect([script.open.length, time.waiting, closed()]).toEqual([0, 0, 1])
  })

  it('listens to the two that were asked last', async () => {
    const { time, script } = resolve(3)
    await time.pass(800)
    expect(script.open.map(({ upstream }) => upstream.port)).toEqual([2, 3])
  })

  it('blames nobody for what we are short of ourselves', () => {
    const { script, upstreams, settled } = resolve(1)
    script.last.fail('ours')
    expect(settled).toEqual([undefined])
    expect(Object.values(upstreams[0]?.failures ?? {})).toEqual([0, 0, 0, 0, 0])
  })

  it('blames a silent one though there was less time than patience', async () => {
    const { settled, time, upstreams } = resolve(1, 100)
    await time.pass(100)
    expect(settled).toEqual([undefined])
    expect(upstreams[0]?.failures.timeout).toBe(1)
  })

  it('is not hurried by an old attempt that fails while a newer one is waited for', async () => {
    const { script, time, ports } = resolve(2)
    await time.pass(400)
    script.attempts[0]?.fail('garbage')
    expect(ports()).toEqual([1, 2])
    await time.pass(400)
    expect(ports()).toEqual([1, 2, 2])
  })

  it('lets a trial outlive its question', async () => {
    const { script, time, upstreams, begin, settled, closed } = resolve(2)
    script.last.say(good)
    for (let count = 0; count < 3; count++) upstreams[0]?.failed('timeout', time.now())
    await time.pass(1000)
    begin()
    expect(script.open.map(({ upstream }) => upstream.port)).toEqual([1, 2])
    script.last.say(good)
    expect([settled.length, closed()]).toEqual([2, 1])
    script.open[0]?.say(servfail)
    expect(upstreams[0]?.health.isOut).toBe(false)
    expect([closed(), time.waiting]).toEqual([2, 0])
  })

  it('ends a trial that nobody answers', async () => {
    const { script, time, upstreams, begin, closed } = resolve(2)
    script.last.say(good)
    for (let count = 0; count < 3; count++) upstreams[0]?.failed('timeout', time.now())
    await time.pass(1000)
    begin()
    script.last.say(good)
    await time.pass(200)
    expect([script.open.length, closed(), time.waiting]).toEqual([0, 2, 0])
    expect(upstreams[0]?.health.standing(time.now() + 1999)).toBe('out')
  })

  it('holds it against nobody that we were away ourselves', async () => {
    const { script, time, settled, upstreams } = resolve(2)
    time.freeze(2500)
    await time.pass(1)
    expect(upstreams[0]?.failures.timeout).toBe(0)
    script.last.say(good)
    expect([settled.length, script.attempts.length]).toEqual([1, 1])
  })

  it('reads what has come meanwhile though its time is over', async () => {
    const { script, time, settled } = resolve(2)
    time.freeze(10_000)
    await time.pass(19)
    expect(settled).toEqual([])
    script.last.say(good)
    expect(settled).toMatchObject([{ verdict: { kind: 'positive' } }])
    const other = resolve(2)
    other.time.freeze(10_000)
    await other.time.pass(20)
    expect(other.settled).toEqual([undefined])
    expect([other.closed(), other.time.waiting]).toEqual([1, 0])
  })

  it('says nothing more once it is abandoned', async () => {
    const { script, time, settled, resolution } = resolve(2)
    resolution.abandon()
    await time.pass(5000)
    expect([settled.length, script.open.length, time.waiting]).toEqual([0, 0, 0])
  })

  it('settles once and in time, and leaves nothing open, whatever the upstreams do', async () => {
    const move = fc.record({
      afterMs: fc.nat(700),
      who: fc.nat(8),
      what: fc.constantFrom('good', 'nxdomain', 'servfail', 'refused', 'unreachable', 'garbage', 'ours'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(move, { maxLength: 12 }),
        async (count, moves) => {
          const { script, settled, time, closed } = resolve(count)
          for (const { afterMs, who, what } of moves) {
            await time.pass(afterMs)
            const attempt = script.open[who % Math.max(1, script.open.length)]
            if (what === 'good') attempt?.say(good)
            else if (what === 'nxdomain') attempt?.say({ rcode: 3 })
            else if (what === 'servfail') attempt?.say(servfail)
            else if (what === 'refused') attempt?.say({ rcode: 5 })
            else attempt?.fail(what as Trouble)
          }
          await time.pass(3000)
          expect([settled.length, closed(), script.open.length, time.waiting]).toEqual([1, 1, 0, 0])
          expect(script.attempts.length).toBeLessThanOrEqual(3 * count)
        },
      ),
      { numRuns: 60 },
    )
  })
})
