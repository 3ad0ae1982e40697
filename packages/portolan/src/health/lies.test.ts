import { healthRules } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { nameOf, order } from '../registry/testing/open-tested.ts'
import { openTested, pass, refuse, type Tested } from './testing/open-tested.ts'

const opened: Tested[] = []
afterEach(async () => {
  for (const tested of opened.splice(0)) await tested.close()
})

async function withInstance(): Promise<Tested & { readonly incarnation: number }> {
  const tested = await openTested()
  opened.push(tested)
  const incarnation = await tested.register('a', { tether: 'static' })
  await tested.time.pass(3000)
  return Object.assign(Object.create(tested) as Tested, { incarnation })
}

/** So many reports a second, each about failures that nobody has seen. */
async function lie(
  tested: Tested & { readonly incarnation: number },
  seconds: number,
  liars = 1,
): Promise<void> {
  const { incarnation } = tested
  for (let ms = 0; ms < seconds * 1000; ms++) {
    for (let liar = 0; liar < liars; liar++) {
      const outcomes = [{ id: 'a', incarnation, ok: 0, failed: 1_000_000, reason: 'it was rude' }]
      tested.health.reported(`liar-${liar}`, order, { overMs: 1, outcomes })
    }
    await tested.time.pass(1)
  }
}

describe('whoever reports failures that did not happen', () => {
  for (const liars of [1, 20]) {
    it(`makes us look a little closer and nothing else: ${liars} with a thousand lies a second each`, async () => {
      const tested = await withInstance()
      const before = tested.looks.length
      const seconds = 5
      await lie(tested, seconds, liars)
      // The check's own, and no more than one round of re-checks, a second.
      const most = seconds * (1 + healthRules.rechecks) + healthRules.rechecks
      expect(tested.looks.length - before).toBeLessThanOrEqual(most)
      expect(tested.causes('a')).toEqual([])
      expect(tested.registry.find(nameOf('a'))).toBeDefined()
      expect(await tested.metric('portolan_health_outs_total')).toBe(0)
    })
  }

  it('does not hide what happens: an instance that dies amid lies is gone as soon as ever', async () => {
    const tested = await withInstance()
    await lie(tested, 2)
    tested.answer = () => refuse
    await lie(tested, 1.2)
    expect(tested.registry.find(nameOf('a'))?.causes ?? [{ kind: 'tcp' }]).toMatchObject([{ kind: 'tcp' }])
    tested.answer = () => pass
  })

  it('of other runs, of nobody, or of other services is not heard', async () => {
    const tested = await withInstance()
    const before = tested.looks.length
    for (const [id, incarnation] of [
      ['a', tested.incarnation + 1],
      ['b', tested.incarnation],
    ] as const) {
      tested.health.reported('liar', order, { overMs: 1, outcomes: [{ id, incarnation, ok: 0, failed: 9 }] })
    }
    const outcomes = [{ id: 'a', incarnation: tested.incarnation, ok: 0, failed: 9 }]
    tested.health.reported('liar', { ...order, service: 'cart' }, { overMs: 1, outcomes })
    await tested.time.pass(20)
    expect(tested.looks.length - before).toBeLessThanOrEqual(1)
    expect(tested.health.why(nameOf('a')).history.filter(({ by }) => by === 'liar')).toEqual([])
  })
})
