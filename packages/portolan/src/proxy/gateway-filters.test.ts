import { describe, expect, it } from 'vitest'
import type { Ending, Filter, RequestContext } from './filters/filter.ts'
import type { FilterEntry } from './filters/filters.ts'
import { problems } from './problem.ts'
import type { GatewaySettings } from './settings.ts'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello } from './testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

const entry = (name: string, filter: Filter): FilterEntry => ({
  name,
  why: 'to be tested',
  make: () => filter,
})

/** A gateway with these filters before an upstream that answers `hello`, and a client of it. */
async function through(filters: readonly Filter[], settings: Partial<GatewaySettings> = {}) {
  const upstream = await rawUpstream(answering(hello))
  const entries = filters.map((filter, index) => entry(`f${index}`, filter))
  const { gateway } = await gatewayFor([upstream.port], settings, undefined, entries)
  return { upstream, gateway, client: clientOf(gateway.port) }
}

const get = 'GET /a?b HTTP/1.1\r\nHost: x\r\nX-Secret: 1\r\nX-Keep: 2\r\n\r\n'
const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody'

describe('filters', () => {
  it('are passed in their order, and told of the end in the opposite one', async () => {
    const heard: string[] = []
    const named = (name: string): Filter => ({
      request: ({ method, path }) => void heard.push(`${name} ${method} ${path}`),
      response: (_request, status) => void heard.push(`${name} ${status}`),
      ended: (_request, { status, code }) => void heard.push(`${name} over ${status} ${code}`),
    })
    const { client } = await through([named('one'), named('two')])
    await client.send(get).until('hello')
    await eventually(() => heard.length === 6)
    expect(heard).toEqual([
      'one GET /a?b',
      'two GET /a?b',
      'one 200',
      'two 200',
      'two over 200 undefined',
      'one over 200 undefined',
    ])
  })

  it('add lines both ways, keep fields from the instance, and ask for something else', async () => {
    const { client, upstream } = await through([
      {
        request(request) {
          request.lines += `X-Was: ${request.header('x-secret')}\r\n`
          request.withhold('x-secret')
          request.target = '/other'
          request.host = 'elsewhere'
          return undefined
        },
        response(request) {
          request.answerLines += 'X-More: yes\r\n'
        },
      },
    ])
    expect(await client.send(get).until('hello')).toContain('X-More: yes\r\n')
    expect(upstream.received()).toMatch(/^GET \/other HTTP\/1.1\r\n/)
    expect(upstream.received()).toContain('X-Was: 1\r\n')
    expect(upstream.received()).toContain('X-Keep: 2\r\n')
    expect(upstream.received()).not.toContain('X-Secret')
    expect(upstream.received().match(/^Host: .*$/gm)).toEqual(['Host: elsewhere'])
    client.received = ''
    await client.send(get).until('hello')
    expect(upstream.received().match(/X-Was: 1/g)).toHaveLength(2)
  })

  it('end a request with an answer of their own, and the connection serves the next', async () => {
    const over: Ending[] = []
    let turn = 0
    const { client, upstream } = await through([
      { ended: (_request, ending) => void over.push(ending) },
      {
        request: () =>
          turn++ === 0 ? { ...problems.noRoute, status: 429, lines: 'Retry-After: 7\r\n' } : undefined,
      },
      { request: () => undefined, ended: (_request, ending) => void over.push(ending) },
    ])
    const answer = await client.send(get).until('}\n')
    expect(answer).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n/)
    expect(answer).toContain('Retry-After: 7\r\n')
    expect(upstream.received()).toBe('')
    // The third was never asked about the first request.
    expect(over.map(({ status, code }) => [status, code])).toEqual([[429, 'no_route']])
    await client.send(get).until('hello')
    await eventually(() => over.length === 3)
    expect(over.map(({ status }) => status)).toEqual([429, 200, 200])
  })

  it('may make up their mind later, while the body comes; what they add still goes along', async () => {
    let waiting: RequestContext | undefined
    const { client, upstream } = await through([
      {
        request(request) {
          waiting = request
          return 'later'
        },
      },
      {
        request(request) {
          request.lines += 'X-After: 1\r\n'
          return undefined
        },
      },
    ])
    client.send(post.slice(0, -2))
    await eventually(() => waiting !== undefined)
    client.send(post.slice(-2))
    if (waiting !== undefined) waiting.lines += 'X-Found: 2\r\n'
    waiting?.goOn()
    await client.until('hello')
    expect(upstream.received()).toMatch(/X-Found: 2\r\nX-After: 1\r\n\r\nbody$/)
  })

  it('may say no later, and too late', async () => {
    const waiting: RequestContext[] = []
    const later: Filter = {
      request(request) {
        waiting.push(request)
        return 'later'
      },
    }
    const { client, upstream } = await through([later], { responseMs: 100 })
    client.send(get)
    await eventually(() => waiting.length === 1)
    waiting[0]?.goOn(problems.noRoute)
    await client.until('no_route')
    client.received = ''
    client.send(get)
    expect(await client.until('}\n')).toContain('HTTP/1.1 504 Gateway Timeout\r\n')
    waiting[1]?.goOn()
    expect(upstream.received()).toBe('')
  })

  it('are told of clients that leave while they think', async () => {
    const over: Ending[] = []
    let waiting: RequestContext | undefined
    const { client, upstream } = await through([
      {
        request(request) {
          waiting = request
          return 'later'
        },
        ended: (_request, ending) => void over.push(ending),
      },
    ])
    client.send(get)
    await eventually(() => waiting !== undefined)
    client.socket.resetAndDestroy()
    await eventually(() => over.length === 1)
    expect(over[0]).toMatchObject({ status: 0, code: 'cancelled' })
    waiting?.goOn()
    expect(upstream.received()).toBe('')
  })
})
