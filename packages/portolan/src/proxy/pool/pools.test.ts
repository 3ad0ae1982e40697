import { breakerDefaults, LocalBalancer, policyByName, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { Deadlines } from '../deadlines.ts'
import { GatewayMetrics } from '../metrics.ts'
import { openPathContext } from '../path-context.ts'
import { defaultGatewaySettings } from '../settings.ts'
import { instanceOf } from '../testing/static-resolver.ts'
import { Pools, type Waiter } from './pools.ts'

/** Pools without sockets: of instances that let nobody in, in virtual time. */
function fullService(pending: number) {
  const deadlines = new Deadlines(100)
  const clock = { now: () => deadlines.now }
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
  return { pools, balancer, deadlines, full }
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

  it('let so many wait, each for its time', () => {
    const { pools, deadlines } = fullService(2)
    const [first, second, third] = [new Guest(), new Guest(), new Guest()]
    expect(pools.wait(first)).toBeDefined()
    deadlines.sweep()
    deadlines.sweep()
    expect(pools.wait(second)).toBeDefined()
    expect(pools.wait(third)).toBeUndefined()
    for (let sweep = 2; sweep < 5; sweep++) {
      expect(first.end).toBe('waits')
      deadlines.sweep()
    }
    expect([first.end, second.end]).toEqual(['late', 'waits'])
    expect(pools.wait(third)).toBeDefined()
    deadlines.sweep()
    deadlines.sweep()
    expect([second.end, third.end]).toEqual(['late', 'waits'])
    expect(pools.pending).toBe(1)
  })

  it('serve the line when a limit is raised, and look again at every sweep', () => {
    const { pools, deadlines, full, balancer } = fullService(9)
    const guests = [new Guest(), new Guest()]
    for (const guest of guests) pools.wait(guest)
    pools.configure({ ...full, connections: 5 })
    expect(guests.map(({ end }) => end)).toEqual(['granted', 'granted'])
    expect(balancer.endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(2)
    const late = new Guest()
    pools.wait(late)
    deadlines.sweep()
    expect(late.end).toBe('granted')
  })
})
