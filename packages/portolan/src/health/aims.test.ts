import { type Check, checkDefaults, type HttpCheck } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { registrationOf } from '../registry/testing/open-tested.ts'
import { aimOf } from './aims.ts'

const times = { intervalMs: 1000, timeoutMs: 500, rise: checkDefaults.rise }
const http: HttpCheck = {
  ...{ id: 'http', type: 'http', method: 'GET', path: '/health', headers: {}, statuses: [[200, 299]] },
  ...times,
}
const instance = {
  ...registrationOf('a', { address: '127.0.0.1' }),
  ports: [
    { name: 'http', number: 8080, protocol: 'http', tls: false },
    { name: 'admin', number: 9090, protocol: 'http', tls: true },
    { name: 'rpc', number: 7000, protocol: 'grpc', tls: false },
  ],
  ...{ source: 'http', owner: 'ops', incarnation: 1, causes: [] },
} as const

describe('what a check looks at', () => {
  it.each<[string, Check]>([
    ['GET /health at port 8080', http],
    ['HEAD /h?deep=1 at port 9090 with TLS', { ...http, method: 'HEAD', path: '/h?deep=1', port: 'admin' }],
    ['GET /health at port 9090', { ...http, port: 9090, tls: false }],
    ['GET /health at port 1234 with TLS', { ...http, port: 1234, tls: true }],
    ['GET /health at port other', { ...http, port: 'other' }],
    ['port 8080', { id: 'tcp', type: 'tcp', ...times }],
    ['port 7000', { id: 'grpc', type: 'grpc', service: '', ...times }],
    ['shop.Cart at port 7000', { id: 'grpc', type: 'grpc', service: 'shop.Cart', ...times }],
    ['/opt/check --of 2', { id: 'db', type: 'script', command: ['/opt/check', '--of', '2'], ...times }],
    ['/opt/check "a b" ""', { id: 'db', type: 'script', command: ['/opt/check', 'a b', ''], ...times }],
    ['its own reports', { id: 'ttl', type: 'ttl', ...times }],
  ])('%s', (aim, check) => {
    expect(aimOf(check, instance)).toBe(aim)
  })

  it('is short, whatever its length', () => {
    const aim = aimOf({ ...http, path: `/${'x'.repeat(2000)}` }, instance)
    expect(aim).toHaveLength(256)
    expect(aim).toMatch(/^GET \/x+… at port 8080$/)
  })
})
