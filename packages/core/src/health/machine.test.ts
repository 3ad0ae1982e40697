import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { healthRules } from './defaults.ts'
import { beginCheck, type CheckResult, type CheckState, found, suspected } from './machine.ts'

const pass: CheckResult = { passed: true, round: undefined, held: false }
const fail: CheckResult = { passed: false, round: undefined, held: false }
const rise = 2

const step = (state: CheckState, result: CheckResult) => found(state, result, rise, healthRules)
const recheck = (state: CheckState, passed: boolean): CheckResult => ({ ...pass, passed, round: state.round })

/** The state after every re-check of the round has failed. */
function allFail(state: CheckState) {
  let last = step(state, recheck(state, false))
  for (let left = healthRules.rechecks - 1; left > 0; left--) last = step(last.state, recheck(state, false))
  return last
}

describe('one check', () => {
  it('has no vote until it ran', () => {
    const state = beginCheck('new')
    expect(state.phase).toBe('new')
    expect(step(state, pass)).toMatchObject({ change: 'begun', state: { phase: 'passing' } })
    expect(step(state, fail)).toMatchObject({ change: undefined, rechecks: 'start' })
  })

  it('takes nobody out for one failure: its re-checks decide', () => {
    const doubt = step(beginCheck('passing'), fail)
    expect(doubt).toMatchObject({
      state: { phase: 'suspect', open: 4 },
      rechecks: 'start',
      change: undefined,
    })
    expect(allFail(doubt.state)).toMatchObject({
      state: { phase: 'critical' },
      rechecks: 'settled',
      change: 'out',
    })
  })

  it('trusts again with the first answer of any of them, the slow probe included', () => {
    const { state } = suspected(beginCheck('passing'), healthRules)
    expect(step(state, recheck(state, true))).toMatchObject({
      state: { phase: 'passing' },
      rechecks: 'settled',
    })
    expect(step(state, pass)).toMatchObject({ state: { phase: 'passing' }, rechecks: 'settled' })
    const three = [1, 2, 3].reduce(at => step(at, recheck(at, false)).state, state)
    expect(step(three, recheck(three, true))).toMatchObject({
      state: { phase: 'passing' },
      change: undefined,
    })
  })

  it('does not let the slow probe itself count among its re-checks', () => {
    const { state } = suspected(beginCheck('passing'), healthRules)
    expect(step(state, fail).state).toBe(state)
  })

  it('ignores the re-checks of an earlier suspicion', () => {
    const first = suspected(beginCheck('passing'), healthRules).state
    const well = step(first, pass).state
    const second = suspected(well, healthRules).state
    expect(step(second, recheck(first, false)).state).toBe(second)
    expect(step(well, recheck(second, false)).state).toBe(well)
  })

  it('comes back after two passes in a row, and after one if it was never well in this run', () => {
    const once = step(beginCheck('critical'), pass)
    expect(once).toMatchObject({ state: { phase: 'critical', passes: 1 }, change: undefined })
    expect(step(step(once.state, fail).state, pass).change).toBeUndefined()
    expect(step(once.state, pass)).toMatchObject({ state: { phase: 'passing' }, change: 'in' })

    const neverWell = allFail(step(beginCheck('new'), fail).state)
    expect(neverWell.change).toBe('out')
    expect(step(neverWell.state, pass)).toMatchObject({ state: { phase: 'passing' }, change: 'in' })
  })

  it('stays out while damping holds it, and comes with the first pass thereafter', () => {
    const held = { ...pass, held: true }
    let { state } = step(beginCheck('critical'), held)
    for (let i = 0; i < 5; i++) {
      const next = step(state, held)
      expect(next.change).toBeUndefined()
      state = next.state
    }
    expect(step(state, pass).change).toBe('in')
  })

  it('is not moved by doubts while it is out or suspect', () => {
    const critical = beginCheck('critical')
    expect(suspected(critical, healthRules).state).toBe(critical)
    const { state } = suspected(beginCheck('passing'), healthRules)
    expect(suspected(state, healthRules).state).toBe(state)
  })

  it('is out at once where no re-checks are wanted', () => {
    const rules = { ...healthRules, rechecks: 0 }
    expect(found(beginCheck('passing'), fail, rise, rules).change).toBe('out')
  })

  it('goes out only by a whole round of failures, and in only by passes, whatever happens', () => {
    const inputs = fc.array(fc.constantFrom('pass', 'fail', 'recheck+', 'recheck-', 'old-', 'doubt'), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(inputs, events => {
        let state = beginCheck('new')
        let isOut = false
        let failedInRound = 0
        for (const event of events) {
          const before = state
          const result =
            event === 'doubt'
              ? suspected(state, healthRules)
              : step(state, {
                  passed: event === 'pass' || event === 'recheck+',
                  held: false,
                  round: event.startsWith('recheck')
                    ? state.round
                    : event === 'old-'
                      ? state.round - 1
                      : undefined,
                })
          state = result.state
          if (result.rechecks === 'start') failedInRound = 0
          if (event === 'recheck-' && before.phase === 'suspect') failedInRound++
          if (result.change === 'out') {
            expect(isOut).toBe(false)
            expect(failedInRound).toBe(healthRules.rechecks)
            isOut = true
          }
          if (result.change === 'in') {
            expect(isOut).toBe(true)
            isOut = false
          }
          expect(state.phase === 'critical').toBe(isOut)
        }
      }),
    )
  })
})
