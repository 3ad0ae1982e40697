import type { Rewrite, RouteMatch } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { answering, hello } from '../testing/harness.ts'

const { gatewayFor, rawUpstream, clientOf } = fixture()

/** What an instance gets of a request with that first line. */
async function seen(match: RouteMatch, rewrite: Rewrite, line: string): Promise<string> {
  const upstream = await rawUpstream(answering(hello))
  const routes = [{ match, service: 'order', rewrite }]
  const { gateway } = await gatewayFor([upstream.port], {}, { routes, exposed: [] })
  await clientOf(gateway.port).send(`${line} HTTP/1.1\r\nHost: shop\r\n\r\n`).until('hello')
  return upstream.received()
}

describe('rewrite', () => {
  it('replaces the prefix that was matched, and keeps the rest', async () => {
    const got = await seen({ path: '/api' }, { path: '/v2' }, 'GET /api/x%20?y=/api')
    expect(got).toMatch(/^GET \/v2\/x%20\?y=\/api HTTP\/1.1\r\n/)
    expect(got).toContain('\r\nHost: shop\r\n')
  })

  it('replaces the Host, and says which it was', async () => {
    const got = await seen({}, { host: 'internal:81' }, 'GET /a')
    expect(got).toMatch(/^GET \/a HTTP\/1.1\r\n/)
    expect(got.match(/^Host: .*$/gm)).toEqual(['Host: internal:81'])
    expect(got).toContain('X-Forwarded-Host: shop\r\n')
  })

  it('takes absolute targets as what they ask for', async () => {
    const got = await seen({ path: '/api' }, { path: '/', host: 'internal' }, 'GET http://other/api')
    expect(got).toMatch(/^GET \/ HTTP\/1.1\r\n/)
    expect(got.match(/^Host: .*$/gm)).toEqual(['Host: internal'])
  })

  it.each(['OPTIONS *', 'OPTIONS http://shop'])('leaves what asks about the server: %s', async line => {
    expect(await seen({}, { path: '/v2' }, line)).toMatch(/^OPTIONS \* HTTP\/1.1\r\n/)
  })
})
