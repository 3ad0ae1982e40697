import { describe, expect, it } from 'vitest'
import { keyReader } from './affinity.ts'
import { defaultCodecLimits, parseRequestHead, RequestHead } from './codec/codec.ts'

const hop = { peer: '192.0.2.1', trusted: false, forwarded: new Uint8Array(), scheme: 'http' } as const

function keyOf(hashBy: string, fields: readonly string[]): string | undefined {
  const text = ['GET / HTTP/1.1', 'Host: order.portolan', ...fields, '', ''].join('\r\n')
  const bytes = Buffer.from(text, 'latin1')
  const head = new RequestHead()
  head.begin(0)
  expect(parseRequestHead(bytes, bytes.length, head, defaultCodecLimits)).toBe(bytes.length)
  return keyReader(hashBy)?.(bytes, head, hop)
}

describe('the key of a request', () => {
  it.each([
    ['header:X-User', ['x-user: u1'], 'u1'],
    ['header:X-User', ['X-User: u1', 'X-User: u2'], 'u1'],
    ['cookie:sid', ['Cookie: a=b; sid=u1; c=d'], 'u1'],
    ['cookie:sid', ['Cookie: a=b', 'Cookie: sid=u1'], 'u1'],
    ['address', [], '192.0.2.1'],
  ])('%s of %j is %s', (hashBy, fields, key) => {
    expect(keyOf(hashBy, fields)).toBe(key)
  })

  it.each([
    ['header:X-User', []],
    ['header:X-User', ['X-User:']],
    ['header:X-User', ['X-User: \t ']],
    ['cookie:sid', ['Cookie: a=b']],
    ['cookie:sid', ['Cookie: sid=']],
    ['cookie:sid', ['Cookie: sid= ; a=b']],
    ['cookie:sid', ['Cookie: sid=""']],
    ['cookie:sid', ['Cookie: sid']],
  ])('%s of %j is none: what all send who send nothing must not bring them together', (hashBy, fields) => {
    expect(keyOf(hashBy, fields)).toBeUndefined()
  })

  it('is the first that says something', () => {
    expect(keyOf('header:X-User', ['X-User:', 'X-User: u1'])).toBe('u1')
    expect(keyOf('cookie:sid', ['Cookie: sid=; sid=u1'])).toBe('u1')
    expect(keyOf('cookie:sid', ['Cookie: sid=', 'Cookie: sid=u1'])).toBe('u1')
  })
})
