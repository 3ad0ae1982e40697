import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { trustedByDefault } from '../settings.ts'
import { ClientTrust, type ClientTrustOptions } from './client-trust.ts'
import { exportTrustMetrics } from './metrics.ts'

const outside = '203.0.113.9'
const clientCookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

const time = { now: 0, wall: 1_800_000_000_000 }
const pass = (ms: number): void => {
  time.now += ms
  time.wall += ms
}

const trustWith = (options: Partial<ClientTrustOptions> = {}) =>
  new ClientTrust({
    trusted: trustedByDefault,
    clock: { now: () => time.now },
    wall: () => time.wall,
    ...options,
  })

const plain = { edns: undefined }
const withCookie = (cookie: Uint8Array) => ({ edns: { size: 1232, dnssecOk: false, cookie } })

beforeEach(() => {
  time.now = 0
  time.wall = 1_800_000_000_000
})

describe('trust', () => {
  it('knows who is within the trusted networks', () => {
    const trust = trustWith()
    expect(['127.0.0.1', '::1', '::ffff:10.0.0.1', outside].map(address => trust.trusts(address))).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  it('allows ten times the question without a valid server cookie, and any answer with one', () => {
    const trust = trustWith()
    expect(trust.judge(outside, plain, 40)).toEqual({ verdict: 'answer', limit: 400 })
    expect(trust.judge(outside, withCookie(clientCookie), 52)).toEqual({ verdict: 'answer', limit: 520 })
    const cookie = trust.cookieFor(outside, clientCookie)
    expect(cookie).toHaveLength(24)
    expect(trust.judge(outside, withCookie(cookie), 68)).toEqual({ verdict: 'answer', limit: 65_535 })
    expect(trust.judge('203.0.113.10', withCookie(cookie), 68)).toEqual({ verdict: 'answer', limit: 680 })
    expect(trust.judge(outside, plain, 60_000).limit).toBe(65_535)
  })

  it('answers a wrong server cookie as none, with a right one in the reply', () => {
    const old = trustWith().cookieFor(outside, clientCookie)
    const restarted = trustWith()
    expect(restarted.judge(outside, withCookie(old), 68)).toEqual({ verdict: 'answer', limit: 680 })
    const fresh = restarted.cookieFor(outside, old)
    expect(Uint8Array.from(fresh.subarray(0, 8))).toEqual(clientCookie)
    expect(restarted.judge(outside, withCookie(fresh), 68).limit).toBe(65_535)
  })

  it('limits the rate of those that prove nothing: silence and TC by turns, or BADCOOKIE', () => {
    const trust = trustWith({ rate: { perSecond: 1, burst: 2 } })
    const verdicts = (query: Parameters<typeof trust.judge>[1]) =>
      Array.from({ length: 4 }, () => trust.judge(outside, query, 40).verdict)
    expect(verdicts(plain)).toEqual(['answer', 'answer', 'drop', 'slip'])
    expect(verdicts(withCookie(clientCookie))).toEqual(['drop', 'bad-cookie', 'drop', 'bad-cookie'])
    const cookie = trust.cookieFor(outside, clientCookie)
    expect(verdicts(withCookie(cookie))).toEqual(['answer', 'answer', 'answer', 'answer'])
    pass(1000)
    expect(verdicts(plain)).toEqual(['answer', 'drop', 'slip', 'drop'])
  })

  it('takes the cookies of two secrets, and those of a given one after a restart', () => {
    const secret = new Uint8Array(16).fill(7)
    const cookie = trustWith({ secret }).cookieFor(outside, clientCookie)
    const trust = trustWith({ secret })
    const limit = () => trust.judge(outside, withCookie(cookie), 68).limit
    expect(limit()).toBe(65_535)
    trust.rotate(new Uint8Array(16).fill(8))
    expect(limit()).toBe(65_535)
    expect(trust.cookieFor(outside, cookie)).not.toEqual(cookie)
    trust.rotate(new Uint8Array(16).fill(9))
    expect(limit()).toBe(680)
    expect(trustWith({ previousSecret: secret }).judge(outside, withCookie(cookie), 68).limit).toBe(65_535)
  })

  it('lets cookies lapse, and renews those that are used', () => {
    const trust = trustWith()
    const cookie = trust.cookieFor(outside, clientCookie)
    pass(1_860_000)
    const renewed = trust.cookieFor(outside, cookie)
    expect(renewed).not.toEqual(cookie)
    pass(1_860_000)
    expect(trust.judge(outside, withCookie(cookie), 68).limit).toBe(680)
    expect(trust.judge(outside, withCookie(renewed), 68).limit).toBe(65_535)
  })

  it('counts what became of them', async () => {
    const trust = trustWith({ rate: { perSecond: 1, burst: 1 } })
    const registry = new Registry()
    exportTrustMetrics(trust.counts, registry)
    const cookie = trust.cookieFor(outside, clientCookie)
    for (let time = 0; time < 3; time++) trust.judge(outside, plain, 40)
    for (let time = 0; time < 2; time++) trust.judge(outside, withCookie(clientCookie), 40)
    trust.judge(outside, withCookie(cookie), 40)
    trust.judge('198.51.100.1', withCookie(cookie), 40)
    const text = await registry.metrics()
    expect(text).toContain('portolan_dns_cookies_total{result="client-only"} 2')
    expect(text).toContain('portolan_dns_cookies_total{result="valid"} 1')
    expect(text).toContain('portolan_dns_cookies_total{result="wrong"} 1')
    expect(text).toContain('portolan_dns_rate_limited_total{result="drop"} 2')
    expect(text).toContain('portolan_dns_rate_limited_total{result="slip"} 1')
    expect(text).toContain('portolan_dns_rate_limited_total{result="bad-cookie"} 1')
    expect(await registry.metrics()).toBe(text)
  })
})
