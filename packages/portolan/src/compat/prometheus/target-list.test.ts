import { performance } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import type { Instance } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { type TargetGroup, targetGroups } from './target-groups.ts'
import { targetList } from './target-list.ts'

function* instances(count: number): Generator<Instance> {
  for (let i = 0; i < count; i++) {
    yield {
      namespace: 'default',
      service: 'order',
      id: `order-${i}`,
      addresses: ['10.0.0.5'],
      ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
      weight: 1,
      zone: 'a',
      version: '1.4.2',
      tags: ['canary'],
      metadata: { team: 'orders', commit: '0a1b2c3d' },
      source: 'http',
      owner: 'ops',
      incarnation: 1,
      causes: [],
    }
  }
}

const groupsOf = (instance: Instance): readonly TargetGroup[] => targetGroups(instance, undefined)

async function read(count: number, of = groupsOf): Promise<TargetGroup[]> {
  return JSON.parse(await text(targetList(instances(count), of)))
}

describe('a list of targets', () => {
  it('is an empty list where there are none', async () => {
    expect(await text(targetList([], groupsOf))).toBe('[]\n')
    expect(await read(5000, () => [])).toEqual([])
  })

  it.each([1, 2, 999, 1000, 1001, 5000])('has all %d of them, in order', async count => {
    const ids = (await read(count)).map(({ labels }) => labels.__meta_portolan_id)
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => `order-${i}`))
  })

  it('has those that are wanted, wherever they stand', async () => {
    const last = (instance: Instance) => (instance.id === 'order-4999' ? groupsOf(instance) : [])
    expect(await read(5000, last)).toEqual([...instances(5000)].slice(-1).flatMap(groupsOf))
  })

  it('gives others their turn between its pieces, wanted or not', async () => {
    for (const of of [groupsOf, () => []]) {
      let turns = 0
      let over = false
      const count = (): void => {
        turns++
        if (!over) setImmediate(count)
      }
      setImmediate(count)
      let pieces = 0
      for await (const _ of targetList(instances(10_000), of)) pieces++
      over = true
      expect(turns).toBeGreaterThan(8)
      expect(turns).toBeGreaterThanOrEqual(pieces - 1)
    }
  })

  it('takes no longer turns for more instances', async () => {
    const turns: number[] = []
    let at = performance.now()
    for await (const piece of targetList(instances(10_000), groupsOf)) {
      turns.push(performance.now() - at)
      expect(piece.length).toBeLessThan(70_000)
      at = performance.now()
    }
    turns.sort((a, b) => a - b)
    // The median: a busy machine may make any one of them late.
    expect(turns[Math.floor(turns.length / 2)]).toBeLessThan(50)
  })
})
