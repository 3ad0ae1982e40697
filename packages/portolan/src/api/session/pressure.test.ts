import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

let tested: Tested
beforeEach(async () => {
  const limits = { messages: 200, pending: 8 }
  tested = await openTested({
    settings: { listen: [{ host: '127.0.0.1', port: 0 }], limits, times: { ping: 40, silent: 100 } },
  })
})
afterEach(() => tested.close())

const metric = (name: string) => tested.metrics.getSingleMetricAsString(name)

describe('a session under pressure', () => {
  it('that reads too slowly is sent what it missed in few steps, and stalls nobody', async () => {
    const [slow, owner] = [await openSession(tested.url), await openSession(tested.url)]
    await slow.ask({ type: 'watch', seq: 1, service: 'order' })
    await slow.next('snapshot')
    slow.websocket.pause()
    const heavy = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'x'.repeat(4000)]))
    let round = 0
    const change = async (): Promise<void> => {
      round += 1
      const instance = { service: 'order', id: 'order-1', ports: [80], version: `${round}`, metadata: heavy }
      expect(await owner.ask({ type: 'register', seq: round, instance })).toMatchObject({ type: 'done' })
    }
    // As long as the kernel's buffers take it, nobody is slow.
    while (!/ [1-9]/.test(await metric('portolan_registry_congested_total'))) await change()
    const before = round
    while (round < before + 50) await change()
    slow.websocket.resume()
    await slow.next('delta', ({ put }) => put[0]?.version === `${round}`)
    const late = slow.received.filter(one => one.type === 'delta' && Number(one.put[0]?.version) > before)
    expect(late.length).toBeLessThan(25)
    await Promise.all([slow.close(), owner.close()])
  })

  it('that sends too fast is slowed down and answered in full', async () => {
    const client = await openSession(tested.url)
    const count = 400
    const begun = performance.now()
    // They may arrive in one piece, which is read as one; what comes after pays for it.
    const answers = Array.from({ length: count }, (_, seq) =>
      client.ask({ type: 'unwatch', seq: seq + 1, service: 'order' }),
    )
    expect((await Promise.all(answers)).every(({ type }) => type === 'done')).toBe(true)
    await client.ask({ type: 'unwatch', seq: 0, service: 'order' })
    // 200 at once, the other 200 at 200 a second.
    expect(performance.now() - begun).toBeGreaterThan(800)
    expect(await metric('portolan_session_silences_total')).toContain(' 0')
    await client.close()
  })

  it('that has many requests on the way is answered in full', async () => {
    const client = await openSession(tested.url)
    const answers = Array.from({ length: 100 }, (_, seq) =>
      client.ask({ type: 'register', seq, instance: { service: 'order', id: `order-${seq}`, ports: [80] } }),
    )
    expect((await Promise.all(answers)).every(({ type }) => type === 'done')).toBe(true)
    expect(tested.registry.view({ namespace: 'default', service: 'order' }).instances).toHaveLength(100)
    await client.close()
  })

  it('is not called silent for what our own busy event loop did not read', async () => {
    const client = await openSession(tested.url)
    for (let stall = 0; stall < 4; stall++) {
      const until = performance.now() + 300
      while (performance.now() < until);
      await new Promise(resolve => setTimeout(resolve, 60))
    }
    expect(await metric('portolan_session_silences_total')).toContain(' 0')
    expect(await metric('portolan_session_lag_seconds_total')).toMatch(/ (0\.[5-9]|[1-9])/)
    await client.close()
  })
})
