import { breakerDefaults, LocalBalancer, policyByName, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadlines } from '../deadlines.ts'
import { GatewayMetrics } from '../metrics.ts'
import { openPathContext } from '../path-context.ts'
import { defaultGatewaySettings } from '../settings.ts'
import { instanceOf } from '../testing/static-resolver.ts'
import { Pools, type Waiter } from './pools.ts'

beforeEach(() => vi.useFakeTimers({ now: 0 }))
afterEach(() => vi.useRealTimers())

/** Pools without sockets: of instances that let nobody in, in virtual time. */
function fullService(pending: number) {
  const deadlines = new Deadlines(200)
  deadlines.open()
  const clock = { now: () => Date.now() }
  const log = pino({ level: 'silent' })
  const settings = defaultGatewaySettings
  const path = openPathContext({
    settings,
    clock,
    deadlines,
    log,
    random: seededRandom(1),
    metrics: new GatewayMetrics(),
  })
  const policy = policyByName('round-robin')
  const balancer = new LocalBalancer({ policy, random: seededRandom(1), clock, outliers: {}, suspect() {} })
  const full = { ...breakerDefaults, connections: 0, pending, queueTimeoutMs: 500 }
  const pools = new Pools(path, balancer, full)
  const instances = [1, 2, 3].map(n => instanceOf('order', `order-${n}`, n))
  const cursor = { epoch: 'test', revision: 1 }
  balancer.update({ namespace: 'default', service: 'order', cursor, instances })
  pools.update(balancer.endpoints, false)
  const wait = (guest: Guest) => pools.wait(guest, clock.now())
  const pass = (ms: number) => vi.advanceTimersByTime(ms)
  return { pools, balancer, full, wait, pass }
}

class Guest implements Waiter {
  readonly context = undefined
  granted(): void {
    this.end = 'granted'
  }
  waitedTooLong(): void {
    this.end = 'late'
  }
  end: 'waits' | 'granted' | 'late' = 'waits'
}

describe('pools of which none has room', () => {
  it('pick nobody, and leave nothing counted as picked', () => {
    const { pools, balancer } = fullService(2)
    const picked = balancer.pick()
    if (picked === undefined) throw new Error('three may be picked')
    expect(pools.elsewhere(picked, undefined)).toBeUndefined()
    expect(balancer.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0])
  })

  it('let so many wait, each for all of its time and hardly longer, whenever sweeps come', () => {
    const { pools, wait, pass } = fullService(2)
    const [first, second, third] = [new Guest(), new Guest(), new Guest()]
    pass(190)
    expect(wait(first)).toBeDefined()
    pass(230)
    expect(wait(second)).toBeDefined()
    expect(wait(third)).toBeUndefined()
    pass(269)
    expect(first.end).toBe('waits')
    pass(11)
    expect([first.end, second.end]).toEqual(['late', 'waits'])
    expect(wait(third)).toBeDefined()
    pass(218)
    expect(second.end).toBe('waits')
    pass(12)
    expect([second.end, third.end]).toEqual(['late', 'waits'])
    expect(pools.pending).toBe(1)
  })

  it('let nobody go sooner because others before it have left', () => {
    const { pools, wait, pass } = fullService(9)
    const [first, second] = [new Guest(), new Guest()]
    const place = wait(first)
    pass(300)
    wait(second)
    if (place !== undefined) pools.stopWaiting(place)
    pass(499)
    expect([first.end, second.end]).toEqual(['waits', 'waits'])
    pass(11)
    expect(second.end).toBe('late')
  })

  it('go by another time as soon as it is configured', () => {
    const { pools, wait, pass, full } = fullService(9)
    const [first, second] = [new Guest(), new Guest()]
    wait(first)
    pass(100)
    pools.configure({ ...full, queueTimeoutMs: 150 })
    wait(second)
    pass(60)
    expect([first.end, second.end]).toEqual(['late', 'waits'])
    pools.configure({ ...full, queueTimeoutMs: 30 })
    expect(second.end).toBe('late')
  })

  it('hear first of what came while nothing could be done', () => {
    const { pools, wait, full } = fullService(9)
    const guest = new Guest()
    wait(guest)
    vi.setSystemTime(9000)
    vi.advanceTimersToNextTimer()
    // What had come meanwhile is read between timers and immediates.
    pools.configure({ ...full, connections: 5 })
    expect(guest.end).toBe('granted')
  })

  it('serve the line when a limit is raised, and look again at every sweep', () => {
    const { pools, wait, pass, full, balancer } = fullService(9)
    const guests = [new Guest(), new Guest()]
    for (const guest of guests) wait(guest)
    pools.configure({ ...full, connections: 5 })
    expect(guests.map(({ end }) => end)).toEqual(['granted', 'granted'])
    expect(balancer.endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(2)
    const late = new Guest()
    wait(late)
    pass(200)
    expect(late.end).toBe('granted')
  })
})
