import { describe, expect, it } from 'vitest'
import { Countdown } from './countdown.ts'
import { Deadlines } from './deadlines.ts'
import type { PathContext } from './path-context.ts'

function counting() {
  let now = 1000
  let over = 0
  const deadlines = new Deadlines(200)
  const path = { clock: { now: () => now }, deadlines } as unknown as PathContext
  const countdown = new Countdown(path, () => {
    over++
  })
  return {
    countdown,
    over: () => over,
    /** Time goes by, and the sweep comes at its end. */
    pass(ms: number) {
      now += ms
      deadlines.sweep()
    },
    wait(ms: number) {
      now += ms
    },
  }
}

describe('Countdown', () => {
  it('ends at the first sweep after its time, not before', () => {
    const { countdown, over, pass, wait } = counting()
    wait(150)
    countdown.start(1150, 1450)
    pass(50)
    pass(200)
    // The sweeps have counted 400 ms, and 250 are over.
    expect(over()).toBe(0)
    pass(200)
    expect(over()).toBe(1)
    pass(200)
    expect(over()).toBe(1)
  })

  it('takes nothing from a request when the sweep itself is late', () => {
    const { countdown, over, pass } = counting()
    countdown.start(1000, 1500)
    pass(5000)
    expect(over()).toBe(0)
    pass(200)
    pass(200)
    expect(over()).toBe(1)
  })

  it('can be stopped and started again', () => {
    const { countdown, over, pass } = counting()
    countdown.start(1000, 1300)
    countdown.stop()
    countdown.stop()
    pass(1000)
    expect(over()).toBe(0)
    countdown.start(2000, 2100)
    pass(200)
    expect(over()).toBe(1)
  })
})
