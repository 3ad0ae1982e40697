import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FixedResolver } from '../testing/fixed-resolver.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { type Origin, startOrigin } from '../testing/origin.ts'
import { instanceOf } from '../testing/scripted-registry.ts'
import type { Body } from './body.ts'
import { type OpenService, openService } from './service.ts'

let origin: Origin
let order: OpenService

beforeAll(async () => {
  origin = await startOrigin()
  const resolver = new FixedResolver()
  resolver.set([instanceOf('order', 'order-1', origin.port)])
  order = openService(resolver, { namespace: 'default', service: 'order' }, {}, localRuntime())
})

afterAll(async () => {
  await order.close(200)
  await origin.kill()
})

const form = new FormData()
form.set('name', 'hello')

async function* pieces() {
  yield 'hel'
  yield Buffer.from('lo')
}

const bodies: Record<string, [() => Body, type: string | undefined, body?: RegExp]> = {
  string: [() => 'hello', 'text/plain;charset=UTF-8'],
  bytes: [() => new TextEncoder().encode('hello'), undefined],
  'a view': [() => new DataView(new TextEncoder().encode('hello').buffer), undefined],
  'an ArrayBuffer': [() => new TextEncoder().encode('hello').buffer as ArrayBuffer, undefined],
  'search parameters': [
    () => new URLSearchParams({ a: 'hello' }),
    'application/x-www-form-urlencoded;charset=UTF-8',
    /^a=hello$/,
  ],
  'a blob': [() => new Blob(['hello'], { type: 'text/x' }), 'text/x'],
  'a form': [() => form, 'multipart/form-data', /name="name"\r\n\r\nhello/],
  'a web stream': [() => new Blob(['hello']).stream(), undefined],
  'a Node stream': [() => Readable.from([Buffer.from('hello')]), undefined],
  'an async iterable': [() => pieces(), undefined],
}

test.each(Object.entries(bodies))('sends %s', async (_, [make, type, expected]) => {
  const response = await order.fetch('/', { method: 'POST', body: make(), duplex: 'half' })
  const said = (await response.json()) as { type?: string; body: string }
  expect(said.body).toMatch(expected ?? /^hello$/)
  if (type === undefined) expect(said.type).toBeUndefined()
  else expect(said.type).toContain(type)
})

test.each([
  [{ 'Content-Type': 'application/json' }],
  [[['content-type', 'application/json']] as const],
  [new Headers({ 'content-type': 'application/json' })],
])('the caller’s content-type stands: %o', async headers => {
  const response = await order.fetch('/', { method: 'POST', headers, body: '{}' })
  expect(await response.json()).toMatchObject({ type: 'application/json' })
})

test('encodes paths that a request line could not carry', async () => {
  const response = await order.fetch('/straße 1?q=ü')
  expect(await response.json()).toMatchObject({ url: '/stra%C3%9Fe%201?q=%C3%BC' })
})
