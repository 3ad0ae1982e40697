import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../testing/open-tested.ts'

let tested: Tested
beforeAll(async () => {
  const listen = [{ host: '127.0.0.1', port: 0 }]
  tested = await openTested({ settings: { listen, gateway: 'http://127.0.0.1:7480' } })
  await fetch(`${tested.url}/api/v1/services/order/instances/order-1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ port: 8080, metadata: { note: '<script>alert(1)</script>' } }),
  })
})
afterAll(() => tested.close())

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, unknown>>
}

describe('beside the API', () => {
  it('the front page says what is running and where to go, without any script', async () => {
    const answer = await fetch(tested.url)
    const page = await answer.text()
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(page).toContain('>order</a><td class="n">1')
    expect(page).toContain('http://127.0.0.1:7480')
    expect(page).toContain('Host: order.portolan')
    expect(page).not.toContain('<script')
    expect((await fetch(tested.url, { method: 'HEAD' })).status).toBe(200)
  })

  it('health, readiness and metrics answer', async () => {
    expect(await (await fetch(`${tested.url}/healthz`)).text()).toBe('ok\n')
    expect(await (await fetch(`${tested.url}/readyz`)).text()).toBe('ready\n')
    const metrics = await (await fetch(`${tested.url}/metrics`)).text()
    const line = 'portolan_api_requests_total{method="GET",route="/healthz",status="200"} 1'
    expect(metrics).toContain(line)
  })

  it('the OpenAPI document describes every path and method that answers', async () => {
    const document = (await (await fetch(`${tested.url}/openapi.json`)).json()) as {
      openapi: string
      paths: Record<string, Record<string, Operation>>
    }
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths).length).toBeGreaterThan(8)
    for (const [path, operations] of Object.entries(document.paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
      const asked = tested.url + path.replace(/\{\w+\}/g, 'x')
      // A method that no path has: Allow lists those that this one has.
      const allow = (await fetch(asked, { method: 'PATCH' })).headers.get('allow')?.split(', ') ?? []
      expect(allow.filter(method => method !== 'HEAD').sort()).toEqual(
        Object.keys(operations)
          .map(method => method.toUpperCase())
          .sort(),
      )
      for (const { parameters = [], responses } of Object.values(operations)) {
        expect(parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name)).toEqual(wanted)
        expect(Object.keys(responses)).toContain('default')
      }
    }
  })
})
