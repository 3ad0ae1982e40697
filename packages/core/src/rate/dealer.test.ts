import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dealer, dealOut } from './dealer.ts'

const free = Number.POSITIVE_INFINITY
const asking = (...demands: number[]) => demands.map(demand => ({ demand, atMost: free }))
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

describe('dealOut', () => {
  it('gives who asks for little that, and the rest to those who ask for more, evenly', () => {
    const shares = dealOut(1000, asking(100, 800, 900))
    expect(shares[0]).toBeCloseTo(101)
    expect(shares[1]).toBeCloseTo(449.5)
    expect(shares[2]).toBeCloseTo(449.5)
  })

  it('gives nearly all to one that asks alone, and a little to the others', () => {
    const shares = dealOut(1000, asking(1800, 0, 0))
    expect(shares[0]).toBeGreaterThan(996)
    expect(shares[1]).toBeGreaterThan(1)
  })

  it('deals out what nobody asked for evenly, on top', () => {
    const [first = 0, second = 0, third = 0] = dealOut(1000, asking(400, 100, 0))
    expect(first).toBeGreaterThan(550)
    expect(second).toBeGreaterThan(250)
    expect(third).toBeGreaterThan(150)
    expect(first + second + third).toBeCloseTo(1000)
  })

  it('never deals out more than there is; all of it where nobody is held back; fairly', () => {
    const claim = fc.record({
      demand: fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(free)),
      atMost: fc.oneof(fc.constant(free), fc.double({ min: 0, max: 1e4, noNaN: true })),
    })
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1e5, noNaN: true }),
        fc.array(claim, { minLength: 1, maxLength: 20 }),
        (qps, claims) => {
          const shares = dealOut(qps, claims)
          expect(sum(shares)).toBeLessThanOrEqual(qps * (1 + 1e-12))
          if (claims.every(({ atMost }) => atMost === free))
            expect(sum(shares)).toBeGreaterThan(qps * 0.999999)
          claims.forEach(({ demand, atMost }, index) => {
            const own = shares[index] ?? 0
            expect(own).toBeGreaterThanOrEqual(0)
            expect(own).toBeLessThanOrEqual(atMost)
            // Who lacks something has no less than anybody else, but for those who have it from asking for more.
            if (own >= Math.min(demand, atMost)) return
            for (const other of shares) expect(other).toBeLessThanOrEqual(own * (1 + 1e-9))
          })
        },
      ),
    )
  })
})

describe('Dealer', () => {
  const limit = { qps: 900, burst: 300 }
  const shares = (dealer: Dealer, now: number) =>
    Object.fromEntries(dealer.deal(now).map(({ id, share }) => [id, share]))

  it('gives the first all, tokens too; newcomers an even share at once, of what the others give back', () => {
    const dealer = new Dealer(limit, 0)
    dealer.hear('a', { tokens: 0 }, 0)
    expect(shares(dealer, 0)).toEqual({ a: { qps: 900, burst: 300, tokens: 300 } })
    dealer.hear('a', { perSecond: 0, tokens: 300, qps: 900 }, 500)
    dealer.hear('b', { tokens: 0 }, 600)
    const next = shares(dealer, 600)
    expect(next.b?.qps).toBeGreaterThan(890)
    expect(next.b?.tokens).toBeUndefined()
    const burst = next.a?.burst ?? 0
    dealer.hear('a', { perSecond: 0, tokens: burst, qps: 1, back: 300 - burst }, 610)
    // In the meantime it may have saved up some by itself.
    expect(shares(dealer, 620).b?.tokens).toBeCloseTo(300 - burst - 0.02 * (next.b?.qps ?? 0), 0)
  })

  it('says nothing where there is no news', () => {
    const dealer = new Dealer(limit, 0)
    dealer.hear('a', { tokens: 0 }, 0)
    dealer.hear('b', { tokens: 0 }, 0)
    expect(dealer.deal(0)).toHaveLength(2)
    dealer.hear('a', { perSecond: 600, tokens: 0, qps: 450 }, 100)
    dealer.hear('b', { perSecond: 600, tokens: 0, qps: 450 }, 100)
    dealer.deal(100)
    dealer.hear('a', { perSecond: 602, tokens: 0, qps: 450 }, 200)
    expect(dealer.deal(200)).toEqual([])
  })

  it('gives what the silent and the gone had to the others', () => {
    const dealer = new Dealer(limit, 0)
    for (const id of ['a', 'b', 'c']) dealer.hear(id, { perSecond: 500, tokens: 0, qps: 300 }, 4000)
    expect(shares(dealer, 4000).a?.qps).toBeCloseTo(300)
    dealer.leave('c', 4100)
    expect(shares(dealer, 4100).a?.qps).toBeCloseTo(450)
    dealer.hear('a', { perSecond: 500, tokens: 0, qps: 450 }, 6000)
    dealer.expire(7000)
    expect(dealer.deal(7000)).toEqual([])
    dealer.expire(7001)
    expect(shares(dealer, 7001).a).toMatchObject({ qps: 900, burst: 300 })
    expect(dealer.size).toBe(1)
  })

  it('gives those who come with a share no more than that at first, and no tokens', () => {
    const dealer = new Dealer(limit, 0)
    dealer.hear('a', { perSecond: 2000, tokens: 0, qps: 300 }, 0)
    expect(shares(dealer, 0).a).toMatchObject({ qps: 300 })
    expect(shares(dealer, 0).a?.tokens).toBeUndefined()
    dealer.hear('a', { perSecond: 2000, tokens: 0, qps: 300 }, 2999)
    dealer.deal(2999)
    expect(shares(dealer, 3000).a?.qps).toBeCloseTo(900)
  })

  it('fills up while nobody is there, not at once', () => {
    const dealer = new Dealer(limit, 0)
    dealer.hear('a', { tokens: 0 }, 0)
    expect(shares(dealer, 0).a?.tokens).toBe(300)
    dealer.leave('a', 1000)
    dealer.hear('b', { tokens: 0 }, 1100)
    expect(shares(dealer, 1100).b?.tokens).toBeCloseTo(90)
  })

  it('never deals out more than the limit, whatever it hears', () => {
    const heard = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      perSecond: fc.option(fc.nat(3000), { nil: undefined }),
      tokens: fc.nat(400),
      back: fc.nat(400),
      qps: fc.option(fc.nat(2000), { nil: undefined }),
      after: fc.nat(2000),
      leaves: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(heard), all => {
        const dealer = new Dealer(limit, 0)
        let now = 0
        for (const { id, perSecond, tokens, back, qps, after, leaves } of all) {
          now += after
          const demand = { tokens, back, ...(perSecond === undefined ? {} : { perSecond }) }
          if (leaves) dealer.leave(id, now)
          else dealer.hear(id, { ...demand, ...(qps === undefined ? {} : { qps }) }, now)
          dealer.expire(now)
          const dealt = dealer.deal(now).map(({ share }) => share)
          expect(sum(dealt.map(share => share.qps))).toBeLessThanOrEqual(900 + 1e-6)
          expect(sum(dealt.map(share => share.burst))).toBeLessThanOrEqual(300 + 1e-6)
          expect(sum(dealt.map(share => share.tokens ?? 0))).toBeLessThanOrEqual(300 + 1e-6)
        }
      }),
    )
  })
})
