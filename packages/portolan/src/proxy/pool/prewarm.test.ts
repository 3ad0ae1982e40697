import type { Endpoint } from '@portolan/core'
import { Balancer, policyByName, seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { instanceOf } from '../testing/static-resolver.ts'
import { Prewarm } from './prewarm.ts'

const ill = [{ kind: 'http' as const, owner: 'x', reason: 'ill', since: '' }]
const draining = [{ kind: 'draining' as const, owner: 'x', reason: 'deploy', since: '' }]

function service() {
  const balancer = new Balancer(policyByName('random'), seededRandom(1))
  let revision = 0
  const set = (...described: readonly (readonly [id: string, causes?: typeof ill | typeof draining])[]) => {
    const instances = described.map(([id, causes = []]) => instanceOf('s', id, 1, { causes }))
    balancer.update({
      namespace: 'default',
      service: 's',
      cursor: { epoch: 'test', revision: ++revision },
      instances,
    })
    return balancer.endpoints
  }
  const load = (inFlight: number): void => {
    for (const endpoint of balancer.endpoints) endpoint.inFlight = inFlight
  }
  return { set, load }
}

/** Takes turns until nothing is left to do; how many connections each instance got in each. */
function played(prewarm: Prewarm, opened = new Map<Endpoint, number>()): Record<string, number>[] {
  const turns: Record<string, number>[] = []
  for (let turn = 0; prewarm.isBusy && turn < 100; turn++) {
    const now: Record<string, number> = {}
    prewarm.turn((endpoint, wanted) => {
      const has = opened.get(endpoint) ?? 0
      if (has >= wanted) return false
      opened.set(endpoint, has + 1)
      now[endpoint.id] = (now[endpoint.id] ?? 0) + 1
      return true
    })
    if (Object.keys(now).length > 0) turns.push(now)
  }
  return turns
}

describe('prewarm', () => {
  it('opens as many as the others have busy on average, one a turn', () => {
    const { set, load } = service()
    const prewarm = new Prewarm()
    prewarm.update(set(['a'], ['b']), true)
    load(3)
    prewarm.update(set(['a'], ['b'], ['c']), true)
    expect(played(prewarm)).toEqual([{ c: 1 }, { c: 1 }, { c: 1 }])
  })

  it('opens at most eight, and at least one where there is traffic at all', () => {
    for (const [busy, count] of [
      [100, 8],
      [0, 1],
    ] as const) {
      const { set, load } = service()
      const prewarm = new Prewarm()
      prewarm.update(set(['a']), true)
      load(busy)
      prewarm.update(set(['a'], ['b']), true)
      expect(played(prewarm)).toHaveLength(count)
    }
  })

  it('does nothing for a first set, without traffic, or where nobody was there before', () => {
    const first = new Prewarm()
    const { set } = service()
    first.update(set(['a'], ['b']), true)
    expect(first.isBusy).toBe(false)
    first.update(set(['a'], ['b'], ['c']), false)
    expect(first.isBusy).toBe(false)
    first.update(set(['d']), true)
    expect(first.isBusy).toBe(false)
  })

  it('waits until a new instance is well, and passes over those that drain', () => {
    const { set } = service()
    const prewarm = new Prewarm()
    prewarm.update(set(['a']), true)
    prewarm.update(set(['a'], ['b', ill], ['c', draining]), true)
    expect(prewarm.isBusy).toBe(false)
    prewarm.update(set(['a'], ['b'], ['c', draining]), true)
    expect(played(prewarm)).toEqual([{ b: 1 }])
  })

  it('opens nothing twice, whatever becomes of what it opened', () => {
    const { set, load } = service()
    const prewarm = new Prewarm()
    prewarm.update(set(['a']), true)
    load(3)
    prewarm.update(set(['a'], ['b']), true)
    let opened = 0
    for (let turn = 0; prewarm.isBusy && turn < 100; turn++) prewarm.turn(() => ++opened > 0)
    expect(opened).toBe(3)
  })

  it('gives up on an instance that falls ill meanwhile', () => {
    const { set, load } = service()
    const prewarm = new Prewarm()
    prewarm.update(set(['a']), true)
    load(5)
    prewarm.update(set(['a'], ['b']), true)
    prewarm.update(set(['a'], ['b', ill]), true)
    expect(played(prewarm)).toEqual([])
  })

  it('spreads many over ten turns, each getting its first before any its second', () => {
    const { set, load } = service()
    const prewarm = new Prewarm()
    prewarm.update(set(['a']), true)
    load(2)
    const names = Array.from({ length: 20 }, (_, n) => [`b${n}`] as const)
    prewarm.update(set(['a'], ...names), true)
    const turns = played(prewarm)
    expect(turns).toHaveLength(10)
    for (const [turn, opened] of turns.entries()) {
      expect(Object.values(opened)).toEqual([1, 1, 1, 1])
      expect(new Set(turns.slice(0, 5).flatMap(each => Object.keys(each))).size, `turn ${turn}`).toBe(20)
    }
  })
})
