import type { OutcomeReport, ServiceName } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { scriptedHealth } from '../../health/testing/scripted-health.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

interface Heard {
  readonly reporter: string
  readonly service: ServiceName
  readonly report: OutcomeReport
}

let tested: Tested | undefined
afterEach(() => tested?.close())

async function open() {
  const heard: Heard[] = []
  const reported = (reporter: string, service: ServiceName, report: OutcomeReport) =>
    void heard.push({ reporter, service, report })
  tested = await openTested({ anonymous: 'none', health: { ...scriptedHealth(), reported } })
  const { access, url } = tested
  const grants = [{ verbs: ['read'] as const, namespace: 'default', service: 'order', instance: '*' }]
  const { secret } = await access.mint({ name: 'reader', grants })
  const session = await openSession(url, { headers: { authorization: `Bearer ${secret}` } })
  return { heard, session }
}

const lie = (service: string) =>
  ({
    type: 'report',
    service,
    overMs: 1000,
    cpuMs: 3,
    outcomes: [{ id: 'i1', incarnation: 1, ok: 2, failed: 1, reason: 'answered 500' }],
  }) as const

describe('reports', () => {
  it('are taken from who watches the service, with all that they say, and never answered', async () => {
    const { heard, session } = await open()
    session.send(lie('order'))
    await session.ask({ type: 'watch', seq: 1, service: 'order' })
    expect(heard).toEqual([])
    session.send(lie('order'))
    await session.ask({ type: 'compare', seq: 2, service: 'order', cursor: '', count: 0 })
    const { outcomes, overMs, cpuMs } = lie('order')
    expect(heard).toEqual([
      {
        reporter: 'test',
        service: { namespace: 'default', service: 'order' },
        report: { outcomes, overMs, cpuMs },
      },
    ])
    expect(session.received.filter(({ type }) => type === 'failed')).toEqual([])
    await session.close()
  })

  it('of a service that the session may not read are not heard', async () => {
    const { heard, session } = await open()
    expect(await session.ask({ type: 'watch', seq: 1, service: 'payment' })).toMatchObject({
      code: 'forbidden',
    })
    session.send(lie('payment'))
    session.send({ ...lie('order'), namespace: 'staging', service: 'order' })
    await session.ask({ type: 'watch', seq: 2, service: 'order' })
    expect(heard).toEqual([])
    await session.close()
  })

  it('that cast doubt on everybody are heard of so many a second, and of all that do well', async () => {
    const { heard, session } = await open()
    await session.ask({ type: 'watch', seq: 1, service: 'order' })
    const outcomes = Array.from({ length: 3000 }, (_, index) => ({
      id: `i${index}`,
      incarnation: 1,
      ok: 1,
      failed: index % 3 === 0 ? 0 : 1,
    }))
    for (let count = 0; count < 5; count++) session.send({ ...lie('order'), outcomes })
    await session.ask({ type: 'compare', seq: 2, service: 'order', cursor: '', count: 0 })
    const all = heard.flatMap(({ report }) => report.outcomes)
    expect(all.filter(({ failed }) => failed === 0)).toHaveLength(5000)
    const doubted = all.filter(({ failed }) => failed > 0).length
    expect(doubted).toBeGreaterThanOrEqual(200)
    // A second's worth, and what flows in while the frames are read.
    expect(doubted).toBeLessThan(600)
    await session.close()
  })

  it('that make no sense are refused whole', async () => {
    const { heard, session } = await open()
    await session.ask({ type: 'watch', seq: 1, service: 'order' })
    const [outcome] = lie('order').outcomes
    for (const changed of [{ failed: -1 }, { ok: 1.5 }, { reason: 'x'.repeat(257) }]) {
      session.send({ ...lie('order'), outcomes: [{ ...outcome, ...changed }] })
      expect(await session.next('failed')).toMatchObject({ code: 'invalid_request' })
    }
    session.send({ ...lie('order'), outcomes: Array(10_001).fill(outcome) })
    expect(await session.next('failed')).toMatchObject({ code: 'invalid_request' })
    expect(heard).toEqual([])
    await session.close()
  })
})
