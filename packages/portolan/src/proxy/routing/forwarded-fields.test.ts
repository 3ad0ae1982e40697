import { diceFrom, seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { ByteWriter, type Hop, writeRequestHead } from '../codec/codec.ts'
import { Router } from '../router.ts'
import { headOf } from '../testing/heads.ts'

const forwarded = Buffer.from('X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n')
const client: Hop = { peer: '192.0.2.7', trusted: false, scheme: 'http', forwarded }
const proxy: Hop = { ...client, trusted: true }

function matches(hop: Hop, name: string, value: string, { bytes, head }: ReturnType<typeof headOf>): boolean {
  const routes = [{ match: { headers: { [name]: value } }, service: 'a' }]
  const router = new Router({ routes, exposed: [] }, diceFrom(seededRandom(5)))
  return router.route(bytes, head, hop) !== undefined
}

const requestWith = (fields: string) => headOf(`GET / HTTP/1.1\r\nHost: shop:80\r\n${fields}\r\n`)

describe('a route that asks how a request came here', () => {
  it.each<[Hop, string, string, string, boolean]>([
    [client, 'X-Forwarded-Proto', 'http', '', true],
    [client, 'X-Forwarded-Proto', 'http', 'X-Forwarded-Proto: https\r\n', true],
    [client, 'X-Forwarded-Proto', 'https', 'X-Forwarded-Proto: https\r\n', false],
    [proxy, 'X-Forwarded-Proto', 'https', 'x-forwarded-proto: https\r\n', true],
    [proxy, 'X-Forwarded-Proto', 'http', 'X-Forwarded-Proto: https\r\n', false],
    [proxy, 'X-Forwarded-Proto', 'http', '', true],
    [client, 'x-forwarded-host', 'shop:80', 'X-Forwarded-Host: evil\r\n', true],
    [client, 'x-forwarded-host', 'evil', 'X-Forwarded-Host: evil\r\n', false],
    [proxy, 'x-forwarded-host', 'www', 'X-Forwarded-Host: www\r\n', true],
    [proxy, 'x-forwarded-host', 'shop:80', 'X-Forwarded-Host: www\r\n', false],
    [proxy, 'x-forwarded-host', 'shop:80', '', true],
    [client, 'X-Forwarded-For', '192.0.2.7', 'X-Forwarded-For: 10.0.0.1\r\n', true],
    [client, 'X-Forwarded-For', '10.0.0.1', 'X-Forwarded-For: 10.0.0.1\r\n', false],
    [proxy, 'X-Forwarded-For', '10.0.0.1, 192.0.2.7', 'X-Forwarded-For: 10.0.0.1\r\n', true],
    [proxy, 'X-Forwarded-For', '10.0.0.1', 'X-Forwarded-For: 10.0.0.1\r\n', false],
    [client, 'X-Real-IP', '10.0.0.1', 'X-Real-IP: 10.0.0.1\r\n', false],
    [proxy, 'X-Real-IP', '10.0.0.1', 'X-Real-IP: 10.0.0.1\r\n', true],
    [client, 'X-Forwarded-Ssl', 'on', 'X-Forwarded-Ssl: on\r\n', false],
    [client, 'X-Canary', '1', 'X-Canary: 1\r\n', true],
  ])('goes by what the instance would get: %o %s: %s of %j is %s', (hop, name, value, fields, expected) => {
    expect(matches(hop, name, value, requestWith(fields))).toBe(expected)
  })

  it('agrees with what is written', () => {
    const heads = ['', 'X-Forwarded-Proto: https\r\n', 'X-Forwarded-Host: b\r\nX-Forwarded-For: ::1\r\n']
    for (const hop of [client, proxy]) {
      for (const fields of heads) {
        const request = requestWith(fields)
        const out = new ByteWriter(1024)
        writeRequestHead(request.bytes, request.head, hop, 'order', out)
        const written = Buffer.from(out.bytes.subarray(0, out.length)).toString('latin1')
        for (const name of ['X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-For']) {
          const value = new RegExp(`^${name}: (.*)\r$`, 'm').exec(written)?.[1] ?? ''
          expect(matches(hop, name, value, request), `${name}: ${value}`).toBe(true)
        }
      }
    }
  })
})
