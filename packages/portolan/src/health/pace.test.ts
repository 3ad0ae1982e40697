import { type Check, checkDefaults, healthRules, seededRandom } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { inStep, nextTurn, phaseOf, rulesFor, stretchedStep } from './pace.ts'

const base = { id: 'x', intervalMs: 10_000, timeoutMs: checkDefaults.timeoutMs, rise: 2 }
const tcp = (timeoutMs: number): Check => ({ ...base, type: 'tcp', timeoutMs })

describe('how fast failures are noticed', () => {
  it('is the table of defaults, for the default time-out', () => {
    expect(rulesFor(tcp(checkDefaults.timeoutMs), healthRules)).toBe(healthRules)
  })

  it('lets no re-check take longer than the check', () => {
    expect(rulesFor(tcp(80), healthRules).recheckTimeoutMs).toBe(80)
  })

  it('takes no answer for late that the check allows: whoever says 2 s is not out before', () => {
    const rules = rulesFor(tcp(2000), healthRules)
    expect(rules).toMatchObject({ suspectAfterMs: 800, recheckTimeoutMs: 2000 })
  })

  it('gives an instance twice the time that it is known to need, and no more than the check has', () => {
    expect(rulesFor(tcp(500), healthRules, 90)).toBe(healthRules)
    expect(rulesFor(tcp(500), healthRules, 150)).toMatchObject({
      suspectAfterMs: 300,
      recheckTimeoutMs: 300,
    })
    expect(rulesFor(tcp(400), healthRules, 350)).toMatchObject({
      suspectAfterMs: 400,
      recheckTimeoutMs: 400,
    })
    expect(rulesFor(tcp(2000), healthRules, 500)).toMatchObject({
      suspectAfterMs: 1000,
      recheckTimeoutMs: 2000,
    })
  })

  it('asks a program once more, and nobody about silence', () => {
    const script: Check = { ...base, type: 'script', command: ['/bin/true'], timeoutMs: 3000 }
    expect(rulesFor(script, healthRules)).toMatchObject({ rechecks: 1, recheckTimeoutMs: 3000 })
    expect(rulesFor({ ...base, type: 'ttl' }, healthRules).rechecks).toBe(0)
  })
})

describe('the turns of checks', () => {
  const name = (id: string) => ({ namespace: 'default', service: 'order', id })

  it('are spread evenly, whatever the names look like', () => {
    const slots = new Array<number>(20).fill(0)
    for (let index = 0; index < 10_000; index++) {
      const slot = Math.floor((phaseOf(name(`order-${index}`), 'tcp') / 2 ** 16) * 20)
      slots[slot] = (slots[slot] ?? 0) + 1
    }
    for (const count of slots) expect(Math.abs(count - 500)).toBeLessThan(100)
  })

  it('are those of the check: two of one instance have different ones, and each the same again', () => {
    expect(phaseOf(name('a'), 'tcp')).toBe(phaseOf(name('a'), 'tcp'))
    expect(phaseOf(name('a'), 'tcp')).not.toBe(phaseOf(name('a'), 'http'))
  })

  it('come once an interval, moved a little each time', () => {
    const random = seededRandom(3)
    const phase = phaseOf(name('a'), 'tcp')
    let now = 0
    const turns = Array.from({ length: 200 }, () => {
      now = nextTurn(now, { phase, intervalMs: 1000 }, random)
      return now
    })
    const gaps = turns.slice(1).map((turn, index) => turn - (turns[index] ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(850)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1150)
    expect(new Set(gaps).size).toBeGreaterThan(3)
    // Those of one step go together.
    for (const turn of turns) expect(turn % 50).toBe(0)
    const offset = (phase / 2 ** 16) * 1000
    for (const turn of turns) {
      const away = (turn - offset + 500) % 1000
      expect(Math.abs(away - 500)).toBeLessThanOrEqual(101)
    }
  })

  it('share a wake where the budget leaves few of them: eight, and none waits more than 250 ms for it', () => {
    expect(stretchedStep(1000, 10)).toBe(250)
    expect(stretchedStep(1000, 40)).toBe(200)
    expect(stretchedStep(1000, 100)).toBe(80)
    expect(stretchedStep(1000, 1000)).toBe(50)
    expect(stretchedStep(1000, Number.POSITIVE_INFINITY)).toBe(50)
    expect(inStep(1001, stretchedStep(1000, 10))).toBe(1250)
  })
})
