import type { Instance, TcpCheck } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { virtualTime } from '../registry/testing/virtual-time.ts'
import { FairTime } from './fair-time.ts'
import { Looks, type Question } from './looks.ts'
import { proberOf } from './prober.ts'
import type { Finding, Probe, Running } from './probes/probe.ts'

const check: TcpCheck = { id: 'tcp', type: 'tcp', intervalMs: 1000, timeoutMs: 500, rise: 2 }
const instance: Instance = {
  ...{
    namespace: 'default',
    service: 'order',
    id: 'a',
    addresses: ['127.0.0.1'],
    weight: 1,
    tags: [],
    metadata: {},
  },
  ...{ ports: [{ name: 'http', number: 80, protocol: 'http', tls: false }], source: 'x', owner: 'x' },
  ...{ incarnation: 1, causes: [] },
}
const well: Finding = { status: 'passing', presence: 'answered', reason: '', latencyMs: 1 }

function open(most = 2, more: Partial<Running> = {}) {
  const virtual = virtualTime()
  const time = new FairTime({ clock: virtual, timers: virtual, onLag() {}, onFault() {} })
  const settles: ((finding: Finding) => void)[] = []
  const log: string[] = []
  const faults: unknown[] = []
  const started = { fails: false }
  const tcp: Probe<TcpCheck> = {
    start(_target, settle) {
      if (started.fails) throw new Error('ours')
      settles.push(settle)
      return { cancel: () => log.push('cancelled'), ...more }
    },
    async close() {},
  }
  const onFinding = () => {}
  const looks = new Looks({
    time,
    probes: { tcp },
    most,
    nextTurn: run => run(),
    onFinding,
    onFault: thrown => faults.push(thrown),
  })
  const question = (name: string, lateAfterMs = 200): Question => ({
    target: { instance, check, fresh: false },
    timeoutMs: 500,
    lateAfterMs,
    begins: () => log.push(`${name} begins`),
    late: () => log.push(`${name} is late`),
    found: ({ reason, inconclusive }) =>
      log.push(`${name}: ${reason || 'well'}${inconclusive ? ' (ours)' : ''}`),
    dropped: () => log.push(`${name} dropped`),
  })
  return { virtual, looks, settles, log, faults, started, question }
}

describe('looks that nobody answers at all', () => {
  const crowd = (count: number) => {
    const all = open(100)
    for (let i = 0; i < count; i++) all.looks.begin(all.question(`${i}`, 1000), false)
    return all
  }

  it('have no vote where many were asked: it is our own network', async () => {
    const { virtual, log } = crowd(17)
    await virtual.pass(530)
    expect(log).toContain(
      '0: no answer within 500ms, nor from anybody else: it may be our own network (ours)',
    )
  })

  it('count where few were asked', async () => {
    const { virtual, log } = crowd(10)
    await virtual.pass(530)
    expect(log).toContain('0: no answer within 500ms')
  })

  it('count when somebody answers, or is refused', async () => {
    const { virtual, log, settles } = crowd(40)
    await virtual.pass(100)
    settles[20]?.({ ...well, status: 'critical', presence: 'refused', reason: 'connect: ECONNREFUSED' })
    await virtual.pass(430)
    expect(log).toContain('0: no answer within 500ms')
  })
})

describe('a look', () => {
  it('is late once, and times out in its time', async () => {
    const { virtual, looks, log, question } = open()
    looks.begin(question('a'), false)
    await virtual.pass(230)
    expect(log).toEqual(['a begins', 'a is late'])
    await virtual.pass(300)
    expect(log.slice(2)).toEqual(['cancelled', 'a: no answer within 500ms'])
    expect(virtual.waiting).toBe(0)
  })

  it('says how far it had come', async () => {
    const { virtual, looks, log, question } = open(2, { waitingFor: () => 'connected, no answer' })
    looks.begin(question('a', 9999), false)
    await virtual.pass(530)
    expect(log.at(-1)).toBe('a: connected, no answer within 500ms')
  })

  it('is not late, nor out of time, for a pause of our own', async () => {
    const { virtual, looks, log, settles, question } = open()
    looks.begin(question('a'), false)
    await virtual.pass(100)
    virtual.freeze(5000)
    await virtual.pass(20)
    settles[0]?.({ ...well, latencyMs: 5100 })
    expect(log).toEqual(['a begins', 'a: well'])
  })

  it('takes no less than no time', async () => {
    const { looks, settles, question } = open()
    const found: Finding[] = []
    looks.begin({ ...question('a'), found: finding => found.push(finding) }, false)
    settles[0]?.({ ...well, latencyMs: -8 })
    expect(found).toMatchObject([{ latencyMs: 0 }])
  })

  it('has no time of its own while its program waits for a place', async () => {
    const more = { waiting: true }
    const { virtual, looks, log, question } = open(2, more)
    looks.begin(question('a', 9999), false)
    await virtual.pass(3000)
    expect(log).toEqual(['a begins'])
    looks.close()
  })

  it('waits for its turn; one that is called off meanwhile never begins, and takes no place', async () => {
    const { looks, log, settles, question } = open(1)
    looks.begin(question('a'), false)
    const second = looks.begin(question('b'), false)
    looks.begin(question('c'), false)
    expect(looks.counts()).toEqual({ underWay: 1, waiting: 2 })
    second.cancel()
    settles[0]?.(well)
    expect(log).toEqual(['a begins', 'a: well', 'c begins'])
    looks.begin(question('waits'), false)
    looks.close()
    expect(log.slice(3)).toEqual(['cancelled', 'c dropped', 'waits dropped'])
    looks.begin(question('d'), true)
    expect(log.at(-1)).toBe('d dropped')
  })

  it('frees its place when it is called off under way', () => {
    const { looks, log, question } = open(1)
    const first = looks.begin(question('a'), false)
    looks.begin(question('b'), false)
    first.cancel()
    first.cancel()
    expect(log).toEqual(['a begins', 'cancelled', 'b begins'])
    expect(looks.counts()).toEqual({ underWay: 1, waiting: 0 })
    looks.close()
  })

  it('that fails through a fault of ours has no vote', () => {
    const { looks, log, faults, started, question } = open()
    started.fails = true
    looks.begin(question('a'), false)
    expect(log[1]).toMatch(/could not be tested.*\(ours\)/)
    expect(faults).toHaveLength(1)
    expect(looks.counts()).toEqual({ underWay: 0, waiting: 0 })
  })
})

describe('the registry’s prober', () => {
  it('asks by the first check over the network, or by TCP connect, and ends with its signal', async () => {
    const { virtual, looks, settles, log } = open(8)
    const prober = proberOf({ looks, most: 8, checksOf: (_instance, asked) => asked ?? [] })
    const stop = new AbortController()
    const answered = prober.probe(instance, stop.signal)
    const refused = prober.probe(instance, stop.signal, [
      { id: 'x', type: 'ttl', intervalMs: 1000, timeoutMs: 1, rise: 1 },
      check,
    ])
    const silent = prober.probe(instance, stop.signal)
    const aborted = prober.probe(instance, stop.signal)
    settles[0]?.(well)
    settles[1]?.({ ...well, status: 'critical', presence: 'refused' })
    expect(await answered).toBe('answered')
    expect(await refused).toBe('refused')
    await virtual.pass(0)
    stop.abort()
    expect(await Promise.all([silent, aborted, prober.probe(instance, stop.signal)])).toEqual([
      'silent',
      'silent',
      'silent',
    ])
    expect(log).toEqual(['cancelled', 'cancelled'])
  })

  it('hears silence when health checking ends', async () => {
    const { looks } = open(8)
    const prober = proberOf({ looks, most: 8, checksOf: () => [] })
    const pending = prober.probe(instance, new AbortController().signal)
    looks.close()
    expect(await pending).toBe('silent')
    expect(await prober.probe(instance, new AbortController().signal)).toBe('silent')
  })

  it('finds nothing out where nothing speaks TCP', async () => {
    const { looks } = open(8)
    const prober = proberOf({ looks, most: 8, checksOf: () => [] })
    const ports = [{ name: 'dns', number: 53, protocol: 'udp', tls: false }] as const
    expect(await prober.probe({ ...instance, ports }, new AbortController().signal)).toBe('silent')
  })
})
