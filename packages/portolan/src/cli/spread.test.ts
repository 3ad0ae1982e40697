import type { Instance, InstanceSet } from '@portolan/core'
import { seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { instanceOf } from '../proxy/testing/static-resolver.ts'
import { type Question, spreadOf } from './spread.ts'

const anInstance = (id: string, more: Partial<Instance> = {}): Instance => instanceOf('order', id, 8080, more)

function spread(instances: readonly Instance[], question: Partial<Question> = {}) {
  const set: InstanceSet = {
    namespace: 'default',
    service: 'order',
    cursor: { epoch: 'e', revision: 1 },
    instances,
  }
  const asked = { balance: {}, caller: {}, count: 20_000, ...question }
  return spreadOf(set, asked, seededRandom(1))
}

const many = (count: number, more: Partial<Instance> = {}, prefix = 'i'): Instance[] =>
  Array.from({ length: count }, (_, index) => anInstance(`${prefix}-${index}`, more))
const sharesOf = ({ picks }: ReturnType<typeof spread>) =>
  Object.fromEntries(picks.map(({ id, share }) => [id, Number(share.toFixed(2))]))
const reasonsOf = ({ picks }: ReturnType<typeof spread>) =>
  Object.fromEntries(picks.flatMap(({ id, picked, reason }) => (picked > 0 ? [] : [[id, reason] as const])))

describe('how picks spread', () => {
  it('is counted, and follows the weights under every kind of policy', () => {
    const weighted = [anInstance('a'), anInstance('b', { weight: 2 }), anInstance('c', { weight: 5 })]
    for (const policy of ['least-request', 'round-robin', 'random', 'adaptive'] as const) {
      const { picks } = spread(weighted, { balance: { policy } })
      expect(picks.reduce((sum, { picked }) => sum + picked, 0)).toBe(20_000)
      for (const { picked, share } of picks) expect(share).toBe(picked / 20_000)
      for (const [index, due] of [0.125, 0.25, 0.625].entries()) {
        expect(Math.abs((picks[index]?.share ?? 0) - due)).toBeLessThan(0.03)
      }
    }
  })

  it('leaves out what takes no traffic, and says why', () => {
    const ill = { kind: 'tcp', owner: 'c', reason: 'refused', since: '2030-01-01T00:00:00Z' } as const
    const found = spread([
      anInstance('a'),
      anInstance('b', { weight: 0 }),
      anInstance('c', { causes: [ill] }),
    ])
    expect(sharesOf(found)).toEqual({ a: 1, b: 0, c: 0 })
    expect(reasonsOf(found)).toEqual({ b: 'weight 0 takes no new requests', c: 'tcp (refused)' })
    expect(found.panic).toBe(false)
    expect(spread([anInstance('c', { causes: [ill] })])).toMatchObject({
      panic: true,
      picks: [{ id: 'c', share: 1 }],
    })
  })

  it('goes by priority: the next level gets what the first cannot bear', () => {
    const standby = { metadata: { priority: '1' } }
    const found = spread([
      ...many(2),
      anInstance('s', standby),
      anInstance('x', { metadata: { priority: 'a' } }),
    ])
    expect(sharesOf(found)).toEqual({ 'i-0': 0.5, 'i-1': 0.5, s: 0, x: 0 })
    expect(reasonsOf(found)).toEqual({
      s: 'priority 1: priority 0 bears all',
      x: 'priority "a" is none, and counts as 9: priority 0 bears all',
    })
    const down = { kind: 'operator', owner: 'ops', reason: '', since: '2030-01-01T00:00:00Z' } as const
    const half = spread([...many(1), anInstance('down', { causes: [down] }), anInstance('s', standby)])
    expect(sharesOf(half)).toEqual({ 'i-0': 0.7, down: 0, s: 0.3 })
    expect(reasonsOf(half)).toEqual({ down: 'operator' })
  })

  it('goes by zone, as far as the own one bears it', () => {
    const a = many(1, { zone: 'a' }, 'a')
    const b = many(2, { zone: 'b' }, 'b')
    const found = spread([...a, ...b], { caller: { zone: 'a' } })
    expect(sharesOf(found)['a-0']).toBeCloseTo(0.67, 1)
    const home = spread([...a, ...b, anInstance('none')], { caller: { zone: 'b' } })
    expect(sharesOf(home)).toEqual({ 'a-0': 0, 'b-0': 0.5, 'b-1': 0.5, none: 0 })
    expect(reasonsOf(home)).toEqual({
      'a-0': 'zone a: zone b bears all of its callers’ requests',
      none: 'in no zone: zone b bears all of its callers’ requests',
    })
  })

  it('goes by the caller’s subset, of each level', () => {
    const instances = [...many(10), ...many(4, { metadata: { priority: '1' } }, 's')]
    const balance = { subset: 3 }
    const of = (client: string) => {
      const found = spread(instances, { balance, caller: { client } })
      const { picks } = found
      expect(picks.filter(({ picked }) => picked > 0)).toHaveLength(3)
      expect(
        Object.values(reasonsOf(found)).filter(why => why === `not in the subset of ${client}`),
      ).toHaveLength(7)
      expect(Object.values(reasonsOf(found)).filter(why => why?.startsWith('priority 1'))).toHaveLength(4)
      return picks
        .filter(({ picked }) => picked > 0)
        .map(({ id }) => id)
        .join()
    }
    expect(of('one')).toBe(of('one'))
    expect(new Set(['one', 'two', 'three', 'four'].map(of)).size).toBeGreaterThan(1)
  })

  it('goes by a key, to one instance', () => {
    const balance = { policy: 'ring-hash', hashBy: 'address' } as const
    const found = spread(many(5), { balance, hashKey: 'user-42' })
    expect(found.picks.filter(({ share }) => share === 1)).toHaveLength(1)
    expect(Object.values(reasonsOf(found))).toEqual(Array(4).fill('the key goes elsewhere'))
    expect(spread(many(5), { balance, hashKey: 'user-42' }).picks).toEqual(found.picks)
  })

  it('goes by many keys where requests have some, within the bound of the policy', () => {
    const balance = { policy: 'ring-hash', hashBy: 'address' } as const
    const shares = Object.values(sharesOf(spread(many(5), { balance })))
    for (const share of shares) expect(share).toBeLessThanOrEqual(0.26)
    expect(Math.min(...shares)).toBeGreaterThan(0.1)
  })

  it('says of few picks that they are few', () => {
    const found = spread(many(3), { count: 1 })
    expect(Object.values(reasonsOf(found))).toEqual(['by chance: picks are few', 'by chance: picks are few'])
  })

  it('is empty where nobody is', () => {
    expect(spread([])).toEqual({ panic: false, picks: [] })
  })
})
