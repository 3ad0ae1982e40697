import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { grant } from '../../registry/access/grants.ts'
import { parseRegistration } from '../../registry/registration.ts'
import { openTested, type Tested } from '../testing/open-tested.ts'

interface Event {
  readonly event: string
  readonly id?: string
  readonly data: unknown
}

let tested: Tested
let ends: (() => void)[] = []
beforeAll(async () => {
  const listen = [{ host: '127.0.0.1', port: 0 }]
  tested = await openTested({ settings: { listen, times: { heartbeat: 50 } } })
})
afterEach(() => {
  for (const end of ends) end()
  ends = []
})
afterAll(() => tested.close())

/** Opens a watch; the answer's `next` gives one event after the other, `comment` among them. */
async function watch(query = '', lastEventId?: string): Promise<{ next(): Promise<Event>; end(): void }> {
  const stop = new AbortController()
  const answer = await fetch(`${tested.url}/api/v1/services/order/instances${query}`, {
    signal: stop.signal,
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
  })
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  const events = read(answer)
  const end = () => stop.abort()
  ends.push(end)
  const next = async (): Promise<Event> => {
    const { value } = await events.next()
    if (value === undefined) throw new Error('the stream has ended')
    return value.event === 'comment' ? next() : value
  }
  return { next, end }
}

async function* read(answer: Response): AsyncGenerator<Event, undefined> {
  let rest = ''
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + piece).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map(line => line.split(/: ?(.*)/s, 2) as [string, string]))
      const event = fields.get('event')
      const id = fields.get('id')
      if (event !== undefined) {
        yield { event, data: JSON.parse(fields.get('data') ?? ''), ...(id === undefined ? {} : { id }) }
      } else if (block.startsWith(':')) yield { event: 'comment', data: block }
    }
  }
  return undefined
}

const put = (id: string, body: object = {}) =>
  fetch(`${tested.url}/api/v1/services/order/instances/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ port: 8080, ...body }),
  })
const remove = (id: string) =>
  fetch(`${tested.url}/api/v1/services/order/instances/${id}`, { method: 'DELETE' })

describe('event streams', () => {
  it('tell everything once, then each change, and resume where they broke off', async () => {
    await put('order-1')
    const first = await watch()
    expect(await first.next()).toMatchObject({ event: 'snapshot', data: { instances: [{ id: 'order-1' }] } })
    expect(await first.next()).toMatchObject({ event: 'synced' })
    await put('order-2')
    expect(await first.next()).toMatchObject({ event: 'put', data: { id: 'order-2' } })
    const { id } = await first.next()
    expect(id).toBeDefined()
    first.end()

    await remove('order-1')
    await put('order-3')
    const second = await watch('', id)
    const events = [await second.next(), await second.next(), await second.next()]
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'delete', data: { id: 'order-1', reason: 'goodbye' } }),
    )
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'put', data: expect.objectContaining({ id: 'order-3' }) }),
    )
    expect(events[2]?.event).toBe('synced')
  })

  it('answer an id that is not ours with a snapshot', async () => {
    for (const id of ['rubbish', 'otherepoch.5', '']) {
      const stream = await watch('', id)
      expect((await stream.next()).event).toBe('snapshot')
      stream.end()
    }
  })

  it('show a filtered part, and what leaves it', async () => {
    await put('a-1', { zone: 'a', tags: ['canary'] })
    const stream = await watch('?zone=a&tag=canary')
    expect(await stream.next()).toMatchObject({ event: 'snapshot', data: { instances: [{ id: 'a-1' }] } })
    await stream.next()
    await put('b-1', { zone: 'b', tags: ['canary'] })
    expect((await stream.next()).event).toBe('synced')
    await put('a-1', { zone: 'c', tags: ['canary'] })
    expect(await stream.next()).toMatchObject({ event: 'delete', data: { id: 'a-1' } })
  })

  it('are kept open by comments, and counted', async () => {
    const answer = await fetch(`${tested.url}/api/v1/services/order/instances`, {
      headers: { accept: 'text/event-stream' },
    })
    const events = read(answer)
    let seen: Event | undefined
    do seen = (await events.next()).value
    while (seen !== undefined && seen.event !== 'comment')
    expect(seen?.event).toBe('comment')
    expect(await tested.metrics.getSingleMetricAsString('portolan_api_streams')).toMatch(/ [1-9]/)
    await events.return(undefined)
    await expect
      .poll(() => tested.metrics.getSingleMetricAsString('portolan_api_streams'))
      .toContain('portolan_api_streams 0')
  })
})

describe('event streams of a token', () => {
  it.each(['revoke', 'expire'] as const)('end when it is no good any more: %s', async how => {
    const local = await openTested({
      anonymous: 'none',
      settings: { listen: [{ host: '127.0.0.1', port: 0 }], times: { recheck: 50 } },
    })
    ends.push(() => void local.close())
    const expires = new Date(Date.now() + (how === 'expire' ? 1500 : 600_000)).toISOString()
    const grants = [grant(['read'], 'default', 'order')]
    const { secret, token } = await local.access.mint({ name: 'guest', grants, expires })
    const other = await local.access.mint({ name: 'other', grants })
    const watching = (by: string) =>
      fetch(`${local.url}/api/v1/services/order/instances`, {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${by}` },
      })
    const [mine, theirs] = [read(await watching(secret)), read(await watching(other.secret))]
    for (const events of [mine, theirs]) {
      expect((await events.next()).value).toMatchObject({ event: 'snapshot' })
      expect((await events.next()).value).toMatchObject({ event: 'synced' })
    }
    const started = performance.now()
    if (how === 'revoke') await local.access.revoke(token.id)
    expect((await mine.next()).done).toBe(true)
    expect(performance.now() - started).toBeLessThan(4000)
    expect((await watching(secret)).status).toBe(401)
    const more = theirs.next()
    await local.registry.register({
      registration: parseRegistration({ service: 'order', id: 'a', address: '10.0.0.1', port: 1 }),
      principal: { name: 'x', admin: true },
      source: 'http',
      tether: 'lease',
    })
    expect((await more).value).toMatchObject({ event: 'put' })
  })
})
