import { networkInterfaces } from 'node:os'
import type { Check } from '@portolan/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

const adminPort = 7481

let tested: Tested
let stored: Map<string, readonly Check[] | undefined>
beforeAll(async () => {
  tested = await openTested({
    settings: { controlPorts: [adminPort] },
    allowedTargets: () => ['169.254.7.0/24', `127.0.0.9:${adminPort}`],
  })
  stored = new Map()
  tested.registry.observe({
    present: ({ instance, checks }) => void stored.set(instance.id, checks),
    gone: ({ id }) => void stored.delete(id),
  })
})
afterAll(() => tested.close())

type Body = Readonly<Record<string, unknown>>

/** Registers over HTTP: the code that it is refused with, or `accepted`. */
async function overHttp(id: string, body: Body): Promise<{ status: number; code: string; text: string }> {
  const answer = await fetch(`${tested.url}/api/v1/services/order/instances/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { code = 'accepted', detail = '', hint = '' } = (await answer.json()) as Record<string, string>
  return { status: answer.status, code, text: `${detail}. ${hint}` }
}

/** The same with a heartbeat, which registers whoever is not known. */
async function overHeartbeat(id: string, body: Body): Promise<{ status: number; code: string }> {
  const answer = await fetch(`${tested.url}/api/v1/services/order/instances/${id}/heartbeat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { code = 'accepted' } = (await answer.json()) as Record<string, string>
  return { status: answer.status, code }
}

async function overSession(id: string, body: Body): Promise<{ code: string; text: string }> {
  const client = await openSession(tested.url)
  try {
    const instance = { service: 'order', id, ...body } as never
    const answer = await client.ask({ type: 'register', seq: 1, instance })
    if (answer.type === 'done') return { code: 'accepted', text: '' }
    return { code: answer.code, text: `${answer.message}. ${answer.hint ?? ''}` }
  } finally {
    await client.close()
  }
}

/** Refused at every door, with the same code, and nothing of it is kept. */
async function refused(body: Body, code: string): Promise<string> {
  const http = await overHttp('evil', body)
  expect(http).toMatchObject({ status: code === 'invalid_request' ? 400 : 403, code })
  expect(await overHeartbeat('evil', body)).toMatchObject({ status: http.status, code })
  expect(await overSession('evil', body)).toMatchObject({ code, text: http.text })
  expect(tested.registry.find({ namespace: 'default', service: 'order', id: 'evil' })).toBeUndefined()
  return http.text
}

const at = { address: '127.0.0.1', port: 8080 }

describe('a registration from somebody who wants us to run or call things', () => {
  it.each<[string, Body]>([
    ['script', { type: 'Custom', script: '/bin/sh' }],
    ['command', { type: 'Custom', command: ['/bin/sh', '-c', 'id > /tmp/pwned'] }],
    ['type alone', { type: 'script' }],
    ['beside a harmless type', { type: 'TCP', command: ['/bin/true'] }],
    ["Consul's Args", { type: 'TCP', Args: ['/bin/true'] }],
  ])('has no program run: %s', async (_, check) => {
    expect(await refused({ ...at, checks: [check] }, 'check_forbidden')).toContain('would run a program')
  })

  it.each<[string, Body]>([
    ['host', { type: 'HTTP', host: '10.0.0.6' }],
    ['url', { type: 'HTTP', url: 'http://10.0.0.6/admin' }],
    ['address', { type: 'TCP', address: '10.0.0.6' }],
    ["Consul's HTTP", { type: 'HTTP', HTTP: 'http://10.0.0.6/admin' }],
    ['path in absolute form', { type: 'HTTP', path: 'http://10.0.0.6/admin' }],
    ['path with an authority', { type: 'HTTP', path: '//10.0.0.6/admin' }],
  ])('has nobody else called: %s', async (_, check) => {
    expect(await refused({ ...at, checks: [check] }, 'target_forbidden')).toContain('names a host')
  })

  it('has no other name called at its own address', async () => {
    const checks = [{ type: 'HTTP', headers: { hOsT: 'admin.internal' } }]
    expect(await refused({ ...at, checks }, 'check_forbidden')).toContain('sets no Host')
    await refused({ ...at, host: 'a\r\nX-Evil: 1' }, 'invalid_request')
  })

  it.each<[string, Body]>([
    ['line break in a value', { type: 'HTTP', headers: { a: 'b\r\nHost: evil' } }],
    ['line break in a name', { type: 'HTTP', headers: { 'a\r\nb': 'c' } }],
    ['bare newline', { type: 'HTTP', headers: { a: 'b\nc' } }],
    ['NUL', { type: 'HTTP', headers: { a: 'b\0c' } }],
    ['line break in the path', { type: 'HTTP', path: '/ HTTP/1.1\r\nHost: evil\r\n\r\nGET /' }],
    ['header of the connection', { type: 'HTTP', headers: { Connection: 'upgrade' } }],
    ['another framing', { type: 'HTTP', headers: { 'content-length': '5' } }],
    ['a method of its own', { type: 'HTTP', method: 'GET / HTTP/1.1\r\nHost: evil\r\n\r\nDELETE' }],
  ])('has no request of its own making sent: %s', async (_, check) => {
    await refused({ ...at, checks: [check] }, 'invalid_request')
  })

  it.each([
    '169.254.169.254',
    '::ffff:169.254.1.1',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:FFFF:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    'fe80::1',
    'FEBF::1%eth0',
  ])('has no link-local address called: %s', async address => {
    const text = await refused({ address, port: 80 }, 'target_forbidden')
    expect(text).toContain('link-local')
    expect(text).toContain('registry.allowTargets')
    // The default check would go there, and so would everybody's requests: not even without a check.
    await refused({ address, port: 80, checks: [] }, 'target_forbidden')
    await refused({ addresses: ['10.0.0.5', address], port: 80 }, 'target_forbidden')
  })

  it.each([
    '2852039166',
    '0xa9.0xfe.0xa9.0xfe',
    '169.16689662',
    '169.254.169.254 ',
    'metadata.google.internal',
  ])(
    'has no odd spelling read: %j',
    async address => void (await refused({ address, port: 80 }, 'invalid_request')),
  )

  // Those of the machine itself: virtual ones may go while this runs.
  const own = Object.entries(networkInterfaces())
    .filter(([name]) => /^(?:lo$|e|w)/.test(name))
    .flatMap(([, list]) => list?.map(({ address }) => address) ?? [])
  it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', ...own])(
    'has our own control ports not called: at %s',
    async address => {
      // An interface's own link-local address is refused for that.
      for (const port of [tested.port, adminPort]) {
        await refused({ address, port }, 'target_forbidden')
        await refused({ address, ports: [8080, { number: port, name: 'x' }] }, 'target_forbidden')
        await refused({ address, port: 8080, checks: [{ type: 'TCP', port }] }, 'target_forbidden')
        await refused(
          { address, port: 8080, checks: [{ type: 'HTTP', port, path: '/api/v1/services' }] },
          'target_forbidden',
        )
      }
    },
  )

  it('is nobody at 0.0.0.0', async () => {
    for (const address of ['0.0.0.0', '::', '::ffff:0.0.0.0']) {
      await refused({ address, port: tested.port }, 'invalid_request')
    }
  })

  it('has its peer address guarded like one that it names', async () => {
    await refused({ port: tested.port }, 'target_forbidden')
  })

  it.each<[string, Body[]]>([
    ['too many', Array(17).fill({ type: 'TCP' })],
    ['too often', [{ type: 'TCP', interval: '1ms' }]],
    ['too long', Array(16).fill({ type: 'HTTP', path: `/${'x'.repeat(2000)}` })],
    [
      'too many headers',
      [{ type: 'HTTP', headers: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`x-${n}`, ''])) }],
    ],
    ['an endless body', [{ type: 'HTTP', expect: { body: 'x'.repeat(100_000) } }]],
    ['deep', [{ type: 'HTTP', expect: JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`) }]],
  ])('stores no more than it may: %s', async (_, checks) => {
    await refused({ ...at, checks }, 'invalid_request')
  })
})

describe('a registration from somebody who means well', () => {
  const checks = [
    { type: 'HTTP', path: '/health', headers: { 'X-Probe': '1' } },
    { type: 'TTL', interval: '10s' },
  ]

  it('has its checks kept, or none', async () => {
    expect(await overHttp('a', { ...at, checks })).toMatchObject({ status: 201 })
    expect(stored.get('a')).toMatchObject([
      { type: 'http', id: 'http', path: '/health' },
      { type: 'ttl', id: 'ttl', intervalMs: 10_000 },
    ])
    expect(await overHttp('b', { ...at, checks: [] })).toMatchObject({ status: 201 })
    expect(stored.get('b')).toEqual([])
    expect(await overHttp('c', at)).toMatchObject({ status: 201 })
    expect(stored.has('c')).toBe(true)
    expect(stored.get('c')).toBeUndefined()
    expect(await overSession('d', { ...at, ports: [8080], port: undefined, checks })).toMatchObject({
      code: 'accepted',
    })
    expect(stored.get('d')).toMatchObject([{ id: 'http' }, { id: 'ttl' }])
  })

  it('does not show them to those who look for instances', async () => {
    await overHttp('a', { ...at, checks })
    const answer = await fetch(`${tested.url}/api/v1/services/order/instances/a`)
    expect(await answer.json()).not.toHaveProperty('checks')
  })

  it('registers where the configuration allows it', async () => {
    expect(await overHttp('e', { address: '169.254.7.1', port: 80 })).toMatchObject({ status: 201 })
    expect(await overHttp('f', { address: '::ffff:169.254.7.1', port: 80 })).toMatchObject({ status: 201 })
    expect(await overHttp('g', { address: '127.0.0.9', port: adminPort })).toMatchObject({ status: 201 })
    expect(await overHttp('h', { address: '127.0.0.9', port: tested.port })).toMatchObject({
      code: 'target_forbidden',
    })
  })
})
