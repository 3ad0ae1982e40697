import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RetryBudget } from './budget.ts'

function withdrawAll(budget: RetryBudget, now: number): number {
  let count = 0
  while (budget.tryWithdraw(now)) count++
  return count
}

describe('RetryBudget', () => {
  it('grants a reserve to a caller without requests', () => {
    expect(withdrawAll(new RetryBudget(), 5)).toBe(100)
    expect(withdrawAll(new RetryBudget({ reservePerSecond: 0 }), 5)).toBe(0)
    expect(withdrawAll(new RetryBudget({ reservePerSecond: 1, windowMs: 3000 }), 5)).toBe(3)
  })

  it('grants a fifth of the requests', () => {
    const budget = new RetryBudget({ reservePerSecond: 0 })
    for (let request = 0; request < 1000; request++) budget.deposit(request)
    expect(budget.balance(1000)).toBe(200)
    expect(withdrawAll(budget, 1000)).toBe(200)
    expect(budget.tryWithdraw(1000)).toBe(false)
  })

  it('forgets requests and retries after the window', () => {
    const budget = new RetryBudget({ reservePerSecond: 1 })
    for (let request = 0; request < 100; request++) budget.deposit(0)
    expect(withdrawAll(budget, 0)).toBe(20)
    expect(budget.balance(8999)).toBe(0)
    expect(budget.balance(10_000)).toBe(10)
    expect(withdrawAll(budget, 1e9)).toBe(10)
  })

  it('adds nothing to what many requests have earned', () => {
    const budget = new RetryBudget()
    for (let request = 0; request < 10_000; request++) budget.deposit(request)
    expect(withdrawAll(budget, 10_000)).toBe(1800)
  })

  it('goes by other numbers at once', () => {
    const budget = new RetryBudget({ reservePerSecond: 0 })
    for (let request = 0; request < 100; request++) budget.deposit(0)
    budget.configure({ ratio: 0.5, reservePerSecond: 0 })
    expect(withdrawAll(budget, 0)).toBe(50)
    budget.configure({ ratio: 0, reservePerSecond: 0 })
    expect(budget.tryWithdraw(0)).toBe(false)
  })

  it('does not mind a clock with a large origin, or one that stands still', () => {
    const budget = new RetryBudget({ reservePerSecond: 0 })
    for (let request = 0; request < 5; request++) budget.deposit(1e15)
    expect(budget.balance(1e15 - 5000)).toBe(1)
    expect(budget.tryWithdraw(1e15)).toBe(true)
    expect(budget.tryWithdraw(1e15)).toBe(false)
  })

  it('never grants more than the reserve and its share of any history', () => {
    const event = fc.record({ after: fc.nat(3000), requests: fc.nat(50), tries: fc.nat(80) })
    fc.assert(
      fc.property(fc.array(event), events => {
        const budget = new RetryBudget({ reservePerSecond: 2 })
        let now = 0
        let requests = 0
        let granted = 0
        for (const { after, requests: more, tries } of events) {
          now += after
          requests += more
          for (let count = 0; count < more; count++) budget.deposit(now)
          for (let count = 0; count < tries; count++) if (budget.tryWithdraw(now)) granted++
          expect(budget.balance(now)).toBeGreaterThanOrEqual(0)
        }
        // 20 at once, and again what has left the window since: at most 20 in each nine tenths of it.
        const refills = 1 + Math.floor(now / 9000)
        expect(granted).toBeLessThanOrEqual(20 * refills + 0.2 * requests + 1e-6)
      }),
    )
  })
})
