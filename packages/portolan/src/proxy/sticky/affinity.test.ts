import { Balancer, type Endpoint, policyByName, seededRandom } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headOf } from '../testing/heads.ts'
import { instanceOf } from '../testing/static-resolver.ts'
import { type Affinity, affinityBy } from './affinity.ts'
import { newSealKey } from './seal.ts'

const [key, older] = [newSealKey(), newSealKey()]

function opened(keys: readonly string[] = [key]): Affinity {
  const counts = { kept: 0, busy: 0, moved: 0, lost: 0, invalid: 0, new: 0 }
  const affinity = affinityBy({ cookie: 'at', keys }, newSealKey(), counts)
  if (affinity === undefined) throw new Error('no affinity')
  return affinity
}

/** Sets one after the other, as a balancer makes records of them. */
function recorder(): (ids: readonly string[], incarnation?: number) => readonly Endpoint[] {
  const balancer = new Balancer(policyByName('random'), seededRandom(1))
  let revision = 0
  return (ids, incarnation = 1) => {
    const instances = [...ids].sort().map(id => instanceOf('order', id, 80, { incarnation }))
    const cursor = { epoch: 'test', revision: ++revision }
    balancer.update({ namespace: 'default', service: 'order', cursor, instances })
    return balancer.endpoints
  }
}

const ids = ['a', 'b', 'c', 'd', 'e', 'f']

describe('an affinity', () => {
  it('names whoever is there, by what it gave for him once, and nobody else, over all changes', () => {
    const step = fc.record({ present: fc.subarray(ids), incarnation: fc.nat(2), asks: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        const affinity = opened([key, older])
        const record = recorder()
        const given = new Map<string, string[]>()
        for (const one of ids) {
          const [endpoint] = recorder()([one])
          if (endpoint === undefined) throw new Error('nobody')
          const values = [[key], [older]].map(keys => {
            const issuing = opened(keys)
            issuing.update([endpoint])
            return issuing.seatOf(endpoint)?.value ?? ''
          })
          given.set(one, values)
        }
        for (const { present, incarnation, asks } of steps) {
          const endpoints = record(present, incarnation)
          affinity.update(endpoints)
          if (!asks) continue
          for (const [id, values] of given) {
            const there = endpoints.find(one => one.id === id)
            for (const value of values) {
              expect(affinity.named(value)?.endpoint).toBe(there)
              expect(affinity.isSigned(value)).toBe(true)
            }
            if (there !== undefined) expect(affinity.seatOf(there)?.value).toBe(values[0])
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  it('reads its cookie out of whatever else a client sends', () => {
    const affinity = opened()
    const [home] = recorder()(['a'])
    if (home === undefined) throw new Error('nobody')
    affinity.update([home])
    const value = affinity.seatOf(home)?.value ?? ''
    const junk = fc.string({
      unit: fc.constantFrom('a', 't', '=', '"', ',', ' ', '\t', '\xe9', '.', '-', 'at='),
      maxLength: 30,
    })
    fc.assert(
      fc.property(fc.array(junk), fc.array(junk), fc.boolean(), (before, after, isSplit) => {
        const pairs = [...before, `at=${value}`, ...after].join(isSplit ? '\r\nCookie: ' : ';')
        const { bytes, head } = headOf(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${pairs}\r\n\r\n`)
        expect(affinity.begin(bytes, head).lineBy(home, [])).toBe('')
      }),
      { numRuns: 200 },
    )
  })
})
