import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deadlines } from './deadlines.ts'

const step = 200

/** Sweeps by their timer in virtual time, of which some come late; a sweep starts the wait for the next one. */
function inVirtualTime() {
  let now = 5000
  let dueAt = now + step
  const deadlines = new Deadlines(step, { now: () => now })
  const sweep = (): void => {
    deadlines.sweep()
    dueAt = now + step
  }
  return {
    deadlines,
    pass(ms: number) {
      const end = now + ms
      for (; dueAt <= end; sweep()) now = dueAt
      now = end
    },
    /** Our own loop does nothing for so long: sweeps that fall into it come as one, at its end. */
    stall(ms: number) {
      now += ms
      if (now >= dueAt) sweep()
    },
    /** How long it takes until what ends at that deadline ends, if nothing is late from now on. */
    untilExpired(deadline: number): number {
      const from = now
      let at = -1
      const expiring = {
        deadline,
        expire() {
          at = now
        },
      }
      deadlines.add(expiring)
      while (at < 0) {
        now = dueAt
        sweep()
      }
      deadlines.delete(expiring)
      return at - from
    },
  }
}

type Event = { readonly pass: number } | { readonly stall: number }
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ pass: fc.nat(1500) }),
  fc.record({ stall: fc.nat(1500) }),
)

describe('deadlines', () => {
  it('are never early, and one step late at most where they are whole steps', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.nat(20), (events, steps) => {
        const time = inVirtualTime()
        for (const each of events) 'pass' in each ? time.pass(each.pass) : time.stall(each.stall)
        const took = time.untilExpired(time.deadlines.in(steps * step))
        expect(took).toBeGreaterThanOrEqual(steps * step)
        expect(took).toBeLessThanOrEqual((steps + 1) * step)
      }),
    )
  })

  it('are one step late at most whatever they are, where the clock was looked at', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), fc.nat(4000), (events, ms) => {
        const time = inVirtualTime()
        for (const each of events) 'pass' in each ? time.pass(each.pass) : time.stall(each.stall)
        const took = time.untilExpired(time.deadlines.closelyIn(ms))
        expect(took).toBeGreaterThanOrEqual(ms)
        expect(took).toBeLessThanOrEqual(ms + step)
      }),
    )
  })

  it('count one step of a loop that was late by many', () => {
    const time = inVirtualTime()
    const deadline = time.deadlines.in(1000)
    time.stall(60_000)
    time.stall(60_000)
    expect(time.untilExpired(deadline)).toBe(4 * step)
  })
})
