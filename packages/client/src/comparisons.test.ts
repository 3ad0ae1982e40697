import { Fault, type HeldView, type ServiceName, seededRandom, unknownView } from '@portolan/core'
import { describe, expect, test } from 'vitest'
import { type Compared, openComparisons } from './comparisons.ts'
import type { Link } from './session/link.ts'
import type { Request } from './session/requests.ts'
import { VirtualTime } from './testing/virtual-time.ts'

interface Asked {
  readonly atMs: number
  readonly request: Request
}

/** A registry's answer, or why there is none. */
type Answer = (request: Request) => Fault | undefined

const older: Answer = ({ type }) =>
  type === 'compare-all' ? new Fault('invalid_request', 'unknown type', { source: 'caller' }) : undefined

const compared = (name: ServiceName): Compared => ({ name, view: unknownView(name) })
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => compared({ namespace: 'default', service: `s-${index}` }))

function start(seed = 1) {
  const time = new VirtualTime()
  const faults: Fault[] = []
  const kinds: unknown[] = []
  const timers = {
    after: (ms: number, run: () => void, kind?: 'background') => {
      kinds.push(kind)
      return time.after(ms, run)
    },
  }
  let stalledMs = 0
  const clock = { now: () => time.now() + stalledMs }
  const random = seededRandom(seed)
  const comparisons = openComparisons({ clock, random, timers }, fault => faults.push(fault))
  const asked: Asked[] = []
  const link = (answer: Answer = () => undefined): Link => ({
    url: 'ws://test',
    welcome: { type: 'welcome', protocol: 1, session: 's', epoch: 'e', pingMs: 400, leaseMs: 15_000 },
    async request(request) {
      asked.push({ atMs: time.now(), request })
      const fault = answer(request)
      if (fault !== undefined) throw fault
      return { type: 'done', seq: 1 }
    },
    send() {},
  })
  /** Moves on in steps, so that answers come in between. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      time.advance(50)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  /** Time in which no timer fires. */
  const stall = (ms: number) => {
    stalledMs += ms
  }
  return { time, faults, kinds, comparisons, asked, link, pass, stall }
}

const viewsOf = ({ request }: Asked): readonly HeldView[] => {
  if (request.type === 'compare-all') return request.views
  return request.type === 'compare' ? [request] : []
}
const servicesOf = (asked: readonly Asked[]) => asked.flatMap(viewsOf).map(({ service }) => service)

describe('comparisons', () => {
  test('of a thousand views go out in a few messages, by one timer that keeps no process alive', async () => {
    const { time, kinds, comparisons, asked, link, pass } = start()
    const over = link()
    for (const one of many(1000)) comparisons.begin(one, over)
    expect(time.pending).toBe(1)
    await pass(10_250)
    expect(new Set(servicesOf(asked)).size).toBe(1000)
    expect(asked.length).toBeLessThanOrEqual(22)
    expect(time.pending).toBe(1)
    expect(new Set(kinds)).toEqual(new Set(['background']))
  })

  test('of each view are 5 to 10 s apart, and differently far', async () => {
    const { comparisons, asked, link, pass } = start()
    const over = link()
    for (const one of many(40)) comparisons.begin(one, over)
    await pass(60_000)
    const gaps = many(40).flatMap(({ name }) => {
      const times = asked.filter(one => servicesOf([one]).includes(name.service)).map(({ atMs }) => atMs)
      expect(times.length).toBeGreaterThanOrEqual(5)
      return times.map((atMs, index) => atMs - (times[index - 1] ?? 0))
    })
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(5000)
      // A tick, and the step in which this test hands out answers.
      expect(gap).toBeLessThanOrEqual(10_300)
    }
    expect(new Set(gaps).size).toBeGreaterThan(15)
  })

  test('of more views than a message may have take several, each within the size of a frame', async () => {
    const { comparisons, asked, link, pass, stall } = start()
    const over = link()
    const service = 'x'.repeat(120)
    const namespace = 'n'.repeat(128)
    for (let index = 0; index < 2500; index++) {
      comparisons.begin(compared({ namespace, service: `${service}-${index}` }), over)
    }
    // As after the process was stopped for a while: all of them are due at once.
    stall(60_000)
    await pass(10_250)
    expect(asked.slice(0, 3).map(one => viewsOf(one).length)).toEqual([1000, 1000, 500])
    expect(new Set(servicesOf(asked)).size).toBe(2500)
    for (const { request } of asked) {
      expect(viewsOf({ atMs: 0, request }).length).toBeLessThanOrEqual(1000)
      expect(JSON.stringify(request).length).toBeLessThan(1_000_000)
    }
  })

  test('end with whom they are of, and with the connection', async () => {
    const { time, comparisons, asked, link, pass } = start()
    const over = link()
    const [a, b, c] = many(3) as [Compared, Compared, Compared]
    for (const one of [a, b, c]) comparisons.begin(one, over)
    comparisons.end(a)
    await pass(20_000)
    expect(servicesOf(asked)).not.toContain('s-0')
    comparisons.end(b)
    comparisons.end(b)
    comparisons.clear()
    expect(time.pending).toBe(0)
    const before = asked.length
    await pass(20_000)
    expect(asked).toHaveLength(before)
  })

  test('go over the next connection alone once there is one, whatever the last one still says', async () => {
    const { comparisons, asked, faults, link, pass, time } = start()
    let fail: (fault: Fault) => void = () => {}
    const first: Link = {
      ...link(),
      request: request => {
        asked.push({ atMs: time.now(), request })
        return new Promise((_, reject) => {
          fail = reject
        })
      },
    }
    const all = many(200)
    for (const one of all) comparisons.begin(one, first)
    await pass(10_250)
    const lost = asked.length
    expect(lost).toBeGreaterThan(0)
    comparisons.clear()
    const second = link()
    for (const one of all) comparisons.begin(one, second)
    fail(new Fault('invalid_request', 'too late', { source: 'caller' }))
    await pass(10_250)
    expect(new Set(servicesOf(asked.slice(lost))).size).toBe(200)
    expect(asked.slice(lost).length).toBeLessThanOrEqual(22)
    expect(faults).toEqual([])
  })

  test('with an older registry are single for the rest of its connection, and lose no turn', async () => {
    const { comparisons, asked, faults, link, pass } = start()
    const over = link(older)
    for (const one of many(100)) comparisons.begin(one, over)
    await pass(10_250)
    const lists = asked.filter(({ request }) => request.type === 'compare-all')
    expect(lists).toHaveLength(1)
    const alone = asked.filter(({ request }) => request.type === 'compare')
    expect(new Set(servicesOf(alone)).size).toBe(100)
    expect(faults).toEqual([])
    comparisons.clear()
    const newer = link()
    for (const one of many(100)) comparisons.begin(one, newer)
    const before = asked.length
    await pass(10_250)
    expect(asked.slice(before).some(({ request }) => request.type === 'compare-all')).toBe(true)
  })

  test('of thousands ask an older registry some 330 times a second', async () => {
    const { comparisons, asked, link, pass } = start()
    const over = link(older)
    for (const one of many(5000)) comparisons.begin(one, over)
    await pass(60_000)
    const later = asked.filter(({ atMs }) => atMs > 20_000)
    expect(later.length / 40).toBeGreaterThan(250)
    expect(later.length / 40).toBeLessThan(400)
  })

  test('that fail otherwise are told of, and go on', async () => {
    const { comparisons, asked, faults, link, pass } = start()
    const over = link(
      () => new Fault('request_timeout', 'no answer', { source: 'upstream', retryable: true }),
    )
    for (const one of many(50)) comparisons.begin(one, over)
    await pass(30_000)
    expect(faults).toHaveLength(asked.length)
    expect(servicesOf(asked).length).toBeGreaterThanOrEqual(150)
    expect(asked.some(({ request }) => request.type === 'compare-all')).toBe(true)
  })

  test('of a lone view are asked as every registry knows them', async () => {
    const { comparisons, asked, link, pass } = start()
    const over = link()
    for (const one of many(1)) comparisons.begin(one, over)
    await pass(10_250)
    expect(asked.map(({ request }) => request)).toMatchObject([
      { type: 'compare', namespace: 'default', service: 's-0', count: 0 },
    ])
  })
})
