import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
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
