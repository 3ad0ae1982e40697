import type { ClientMessage, HeldView } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, registered, type Tested } from '../testing/open-tested.ts'
import { openSession, type SessionClient } from '../testing/session-client.ts'

let tested: Tested
let client: SessionClient
beforeEach(async () => {
  tested = await openTested({
    settings: { listen: [{ host: '127.0.0.1', port: 0 }], limits: { messages: 2000 } },
  })
  client = await openSession(tested.url)
})
afterEach(async () => {
  await client.close()
  await tested.close()
})

const compareAll = (seq: number, views: readonly HeldView[]): Promise<unknown> =>
  client.ask({ type: 'compare-all', seq, views } as Extract<ClientMessage, { type: 'compare-all' }>)

/** Watches a service with one instance, and tells what is known of it. */
async function watched(seq: number, service: string): Promise<HeldView> {
  await registered(tested, service, 'i1')
  await client.ask({ type: 'watch', seq, service })
  const { cursor } = await client.next('snapshot', message => message.service === service)
  return { service, cursor, count: 1 }
}

describe('a comparison of many views', () => {
  it('mends those that differ, and leaves alone those that are equal', async () => {
    const [equal, behind, differing, foreign] = [
      await watched(1, 'equal'),
      await watched(2, 'behind'),
      await watched(3, 'differing'),
      await watched(4, 'foreign'),
    ]
    await registered(tested, 'behind', 'i2')
    await client.next('delta')
    const done = await compareAll(5, [
      equal,
      behind,
      { ...differing, count: 2 },
      { ...foreign, cursor: 'elsewhere.7' },
    ])
    expect(done).toEqual({ type: 'done', seq: 5 })
    expect(client.received).toMatchObject([
      { type: 'delta', service: 'behind', put: [{ id: 'i2' }] },
      { type: 'snapshot', service: 'differing', cursor: differing.cursor },
      { type: 'snapshot', service: 'foreign', cursor: foreign.cursor },
    ])
  })

  it('passes over views of services that the session does not watch, and tells nothing of them', async () => {
    const mine = await watched(1, 'mine')
    await registered(tested, 'theirs', 'i1')
    const stray = { service: 'theirs', cursor: mine.cursor, count: 0 }
    expect(await compareAll(2, [stray, { ...mine, count: 2 }, stray])).toEqual({ type: 'done', seq: 2 })
    expect(client.received).toMatchObject([{ type: 'snapshot', service: 'mine' }])
    await client.ask({ type: 'unwatch', seq: 3, service: 'mine' })
    expect(await compareAll(4, [{ ...mine, count: 2 }])).toEqual({ type: 'done', seq: 4 })
    expect(client.received).toHaveLength(1)
  })

  it('compares the others before it refuses a cursor that is none', async () => {
    const [bad, good] = [await watched(1, 'bad'), await watched(2, 'good')]
    expect(
      await compareAll(3, [
        { ...bad, cursor: 'yesterday' },
        { ...good, count: 2 },
      ]),
    ).toMatchObject({ type: 'failed', seq: 3, code: 'invalid_request' })
    expect(client.received).toMatchObject([{ type: 'snapshot', service: 'good' }])
  })

  it('takes none, and a thousand with the longest of names, but no more', async () => {
    expect(await compareAll(1, [])).toEqual({ type: 'done', seq: 1 })
    const long = { namespace: 'n'.repeat(128), service: 's'.repeat(128), cursor: 'c'.repeat(96) }
    const views = Array.from({ length: 1001 }, () => ({ ...long, count: Number.MAX_SAFE_INTEGER }))
    expect(JSON.stringify(views).length).toBeLessThan(1_000_000)
    expect(await compareAll(2, views.slice(1))).toEqual({ type: 'done', seq: 2 })
    expect(await compareAll(3, views)).toMatchObject({ type: 'failed', seq: 3, code: 'invalid_request' })
  })

  it.each([
    '{"type":"compare-all","seq":5}',
    '{"type":"compare-all","seq":5,"views":{}}',
    '{"type":"compare-all","seq":5,"views":[{"service":"a b","cursor":"e.1","count":0}]}',
    '{"type":"compare-all","seq":5,"views":[{"service":"a","cursor":"e.1","count":-1}]}',
    '{"type":"compare-all","seq":5,"views":[{"service":"a","cursor":"e.1","count":0,"more":1}]}',
  ])('%s is refused, and the session goes on', async text => {
    client.websocket.send(text)
    expect(await client.next('failed')).toMatchObject({ seq: 5, code: 'invalid_request' })
    expect(await compareAll(6, [])).toMatchObject({ type: 'done' })
  })

  it('counts as many messages as it has views', async () => {
    const views = Array.from({ length: 1000 }, () => ({ service: 'order', cursor: 'e.1', count: 0 }))
    const begun = performance.now()
    for (let seq = 1; seq <= 4; seq++) await compareAll(seq, views)
    // 2,000 at once, the next 1,000 at 2,000 a second; what the last one costs is paid for by the next.
    expect(performance.now() - begun).toBeGreaterThan(400)
  })

  it('sends no more by far than the peer takes', async () => {
    const metadata = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'x'.repeat(4000)]))
    await registered(tested, 'order', 'i1', { metadata })
    await client.ask({ type: 'watch', seq: 1, service: 'order' })
    const { cursor } = await client.next('snapshot')
    client.websocket.pause()
    const views = Array.from({ length: 500 }, () => ({ service: 'order', cursor, count: 2 }))
    const done = compareAll(2, views)
    await new Promise(resolve => setImmediate(resolve))
    client.websocket.resume()
    expect(await done).toMatchObject({ type: 'done' })
    expect(client.received.length).toBeGreaterThan(0)
    expect(client.received.length).toBeLessThan(200)
  })
})
