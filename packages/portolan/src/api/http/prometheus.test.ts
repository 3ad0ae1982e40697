import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { grant } from '../../registry/access/grants.ts'
import type { Problem } from '../problem/problem.ts'
import { openTested, registered, type Tested } from '../testing/open-tested.ts'

interface Group {
  readonly targets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

let tested: Tested
beforeEach(async () => {
  tested = await openTested()
})
afterEach(() => tested.close())

async function ask(query = '', headers: Record<string, string> = {}) {
  const answer = await fetch(`${tested.url}/sd/prometheus${query}`, { headers })
  const body = (await answer.json()) as unknown
  return { answer, status: answer.status, groups: body as Group[], problem: body as Problem }
}

const idsFor = async (query = '', headers: Record<string, string> = {}) =>
  (await ask(query, headers)).groups.map(({ labels }) => labels.__meta_portolan_id)

const http = { name: 'http', number: 8080, protocol: 'http', tls: false } as const
const metrics = { name: 'metrics', number: 9090, protocol: 'http', tls: false } as const

async function fill(): Promise<void> {
  await registered(tested, 'order', 'order-2', { zone: 'b', tags: ['canary', 'blue'] })
  await registered(tested, 'order', 'order-1', { zone: 'a', tags: ['blue'], ports: [http, metrics] })
  await registered(tested, 'cart', 'cart-1', { addresses: ['fd00::7'], zone: 'a' })
  await registered(tested, 'order', 'staged', { namespace: 'a-staging' })
  const name = { namespace: 'default', service: 'order', id: 'order-2' }
  await tested.registry.report(name, { kind: 'tcp', owner: 'test', reason: 'refused' })
}

describe('Prometheus is answered', () => {
  it('200 and an empty list where nobody has registered', async () => {
    const { answer, status, groups } = await ask()
    expect({ status, groups }).toEqual({ status: 200, groups: [] })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  it('every instance of every namespace, the sick ones too, by namespace, service and id', async () => {
    await fill()
    const { groups } = await ask()
    expect(groups.map(({ targets, labels }) => [...targets, labels.__meta_portolan_id])).toEqual([
      ['127.0.0.1:8080', 'staged'],
      ['[fd00::7]:8080', 'cart-1'],
      ['127.0.0.1:8080', 'order-1'],
      ['127.0.0.1:8080', 'order-2'],
    ])
    expect(groups.map(({ labels }) => labels.__meta_portolan_health)).toEqual([
      'healthy',
      'healthy',
      'healthy',
      'tcp',
    ])
  })

  it('what it asks for alone', async () => {
    await fill()
    expect(await idsFor('?namespace=default')).toEqual(['cart-1', 'order-1', 'order-2'])
    expect(await idsFor('?service=order')).toEqual(['staged', 'order-1', 'order-2'])
    expect(await idsFor('?service=order&service=cart&zone=a')).toEqual(['cart-1', 'order-1'])
    expect(await idsFor('?healthy=true&service=order&namespace=default')).toEqual(['order-1'])
    expect(await idsFor('?healthy=false')).toEqual(['order-2'])
    expect(await idsFor('?tag=blue&tag=canary')).toEqual(['order-2'])
    expect(await idsFor('?port=metrics')).toEqual(['order-1'])
    expect(await idsFor('?port=all&service=order&zone=a')).toEqual(['order-1', 'order-1'])
    expect(await idsFor('?service=nobody')).toEqual([])
  })

  it('200 every time, whatever it has already', async () => {
    await fill()
    const { answer, groups } = await ask()
    expect(answer.headers.get('etag')).toBeNull()
    const again = await ask('', { 'if-none-match': '*', 'if-modified-since': new Date().toUTCString() })
    expect([again.status, again.groups]).toEqual([200, groups])
  })

  it.each([
    ['?healthy=perhaps', 'healthy'],
    ['?namespce=default', 'namespce'],
    ['?service=', 'service'],
    ['?port=a%20b', 'port'],
    [`?zone=${'x'.repeat(200)}`, 'zone'],
    [`?${'tag=x&'.repeat(100)}`, 'tag'],
  ])('400 and what there is to ask for, on %.30s', async (query, named) => {
    const { status, problem } = await ask(query)
    expect([status, problem.code]).toEqual([400, 'invalid_request'])
    expect(problem.detail).toContain(named)
    expect(problem.hint).toBe('the query takes namespace, healthy, zone, tag, service, port')
  })

  it('405 on other methods, and HEAD without a body', async () => {
    const answer = await fetch(`${tested.url}/sd/prometheus`, { method: 'POST' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await fetch(`${tested.url}/sd/prometheus`, { method: 'HEAD' })).status).toBe(200)
  })
})

describe('rights', () => {
  const bearer = async (...grants: Parameters<typeof grant>[]) => {
    const { secret } = await tested.access.mint({
      name: 'monitor',
      grants: grants.map(each => grant(...each)),
    })
    return { authorization: `Bearer ${secret}` }
  }

  it('show each caller what it may read', async () => {
    await fill()
    expect(await idsFor('', await bearer([['read'], '*', 'order']))).toEqual(['staged', 'order-1', 'order-2'])
    expect(await idsFor('', await bearer([['read'], 'default', 'cart']))).toEqual(['cart-1'])
    expect(await idsFor('?service=order', await bearer([['read'], 'default', 'cart']))).toEqual([])
  })

  it('refuse whoever may read nothing, instead of an empty registry', async () => {
    await fill()
    const { status, problem } = await ask('', await bearer([['register'], 'default', 'order']))
    expect([status, problem.code]).toEqual([403, 'forbidden'])
    expect(problem.hint).toContain('read')
    expect((await ask('', { authorization: 'Bearer ptl_wrong' })).status).toBe(401)
  })

  it('are asked for where nobody is anonymous', async () => {
    await tested.close()
    tested = await openTested({ anonymous: 'none' })
    expect((await ask()).status).toBe(401)
  })
})

describe('a list of ten thousand', () => {
  const many = 10_000
  const label = (changes: { zone: string }) => registered(tested, 'order', `i-${changes.zone}`, changes)

  it('leaves the event loop to others, and a reader that leaves is no error', async () => {
    await Promise.all(Array.from({ length: many }, (_, i) => label({ zone: String(i) })))
    let turns = 0
    let over = false
    const turn = (): void => {
      turns++
      if (!over) setImmediate(turn)
    }
    turn()
    const { groups } = await ask()
    over = true
    expect(groups).toHaveLength(many)
    expect(turns).toBeGreaterThan(many / 200)

    await new Promise<void>(resolve => {
      const leaving = request(`${tested.url}/sd/prometheus`, answer => {
        answer.once('data', () => leaving.destroy())
        answer.once('error', () => undefined)
        answer.once('close', () => resolve())
      })
      leaving.end()
    })
    expect((await fetch(`${tested.url}/healthz`)).status).toBe(200)
    expect((await ask('?zone=77')).groups).toHaveLength(1)
  }, 60_000)
})
