import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClientAddress } from './networks.ts'
import { ServerCookies } from './server-cookies.ts'

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function client(address: string): Uint8Array {
  const bytes = readClientAddress(address)
  if (bytes === undefined) throw new Error(address)
  return bytes
}

// RFC 9018 appendix A.
const secret = hex('e5e973e5a6b2a43f48e7dc849e37bfcf')
const someone = client('198.51.100.100')
const learnt = hex('2464c4abcf10c957010000005cf79f111f8130c3eee29480')
const learntAt = 1_559_731_985

describe('server cookies', () => {
  it('are those of RFC 9018: a new one (A.1)', () => {
    const cookies = new ServerCookies(secret)
    expect(text(cookies.reply(hex('2464c4abcf10c957'), someone, learntAt))).toBe(text(learnt))
    expect(cookies.check(learnt, someone, learntAt)).toBe('valid')
  })

  it('are those of RFC 9018: renewed after 40 minutes (A.2)', () => {
    const cookies = new ServerCookies(secret)
    expect(cookies.check(learnt, someone, 1_559_734_385)).toBe('valid')
    expect(text(cookies.reply(learnt, someone, 1_559_734_385))).toBe(
      '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
    )
  })

  it('are those of RFC 9018: reserved bytes are hashed as they come (A.3)', () => {
    const cookies = new ServerCookies(secret)
    const other = client('203.0.113.203')
    const given = hex('fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5')
    expect(cookies.check(given, other, 1_559_727_985)).toBe('valid')
    expect(text(cookies.reply(given, other, 1_559_734_700))).toBe(
      'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e',
    )
  })

  it('are those of RFC 9018: by the secret before (A.4)', () => {
    const cookies = new ServerCookies(hex('dd3bdf9344b678b185a6f5cb60fca715'))
    cookies.rotate(hex('445536bcd2513298075a5d379663c962'))
    const v6 = client('2001:db8:220:1:59de:d0f4:8769:82b8')
    const given = hex('22681ab97d52c298010000005cf7c57926556bd0934c72f8')
    expect(cookies.check(given, v6, 1_559_741_961)).toBe('valid')
    const fresh = cookies.reply(given, v6, 1_559_741_961)
    expect(text(fresh)).toBe('22681ab97d52c298010000005cf7c609a6bb79d16625507a')
    cookies.rotate(secret)
    expect(cookies.check(given, v6, 1_559_741_961)).toBe('wrong')
    expect(cookies.check(fresh, v6, 1_559_741_961)).toBe('valid')
  })

  it('are good by two secrets from the start, where two are given', () => {
    const cookies = new ServerCookies(hex('00'.repeat(16)), secret)
    expect(cookies.check(learnt, someone, learntAt)).toBe('valid')
  })

  it('last for an hour, and may come from a clock that is five minutes ahead', () => {
    const cookies = new ServerCookies(secret)
    const at = (now: number) => cookies.check(learnt, someone, learntAt + now)
    expect([at(3600), at(3601), at(-300), at(-301)]).toEqual(['valid', 'wrong', 'valid', 'wrong'])
  })

  it('are repeated for half an hour, then made anew', () => {
    const cookies = new ServerCookies(secret)
    expect(cookies.reply(learnt, someone, learntAt + 1800)).toBe(learnt)
    const next = cookies.reply(learnt, someone, learntAt + 1801)
    expect(next).not.toEqual(learnt)
    expect(cookies.check(next, someone, learntAt + 5000)).toBe('valid')
  })

  it('go on when 32 bits of seconds are over (RFC 1982)', () => {
    const cookies = new ServerCookies(secret)
    const made = cookies.reply(hex('2464c4abcf10c957'), someone, 2 ** 32 - 10)
    expect(cookies.check(made, someone, 2 ** 32 + 100)).toBe('valid')
    expect(cookies.check(made, someone, 2 ** 32 + 4000)).toBe('wrong')
  })

  it('prove nothing without the server’s part, and are wrong in any other form', () => {
    const cookies = new ServerCookies(secret)
    const check = (option: Uint8Array) => cookies.check(option, someone, learntAt)
    expect(check(learnt.subarray(0, 8))).toBe('client-only')
    expect(check(learnt.subarray(0, 16))).toBe('wrong')
    expect(check(Buffer.concat([learnt, learnt.subarray(8)]))).toBe('wrong')
    const ofVersion2 = Buffer.from(learnt)
    ofVersion2[8] = 2
    expect(check(ofVersion2)).toBe('wrong')
  })

  it('are nobody else’s: any other bit, address or secret makes them wrong', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(bytes(16), bytes(8), bytes(4), fc.nat(24 * 8 - 1), (key, part, address, bit) => {
        const cookies = new ServerCookies(key)
        const made = cookies.reply(part, address, learntAt)
        expect(Uint8Array.from(made.subarray(0, 8))).toEqual(part)
        expect(cookies.check(made, address, learntAt)).toBe('valid')
        const forged = Uint8Array.from(made)
        forged[bit >> 3] = (made[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(cookies.check(forged, address, learntAt)).toBe('wrong')
        const elsewhere = Uint8Array.from(address, (byte, index) => (index === 3 ? byte ^ 1 : byte))
        expect(cookies.check(made, elsewhere, learntAt)).toBe('wrong')
        const otherKey = Uint8Array.from(key, byte => byte ^ 1)
        expect(new ServerCookies(otherKey).check(made, address, learntAt)).toBe('wrong')
      }),
    )
  })
})
