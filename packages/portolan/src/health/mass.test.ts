import { checkDefaults } from '@portolan/core'
import { expect, it } from 'vitest'
import { RecentOuts } from './mass.ts'
import { probedInstance } from './probes/testing/scripts.ts'
import { beginnings, moreOf, Run, Subject } from './subject.ts'

const check = { id: 'tcp', type: 'tcp', ...checkDefaults } as const

/** A check that has just taken its instance out. */
function out(id: string): Run {
  const run = new Run(
    new Subject({ ...probedInstance, id }, undefined),
    check,
    beginnings.critical,
    0,
    { due() {} },
    0,
  )
  moreOf(run).penalty = { value: 1, at: 0, suppressed: false }
  return run
}

const penalties = (runs: readonly Run[]): number[] => runs.map(({ more }) => more?.penalty.value ?? 0)

it('forgives all of those that went together, once, and none that went alone', () => {
  const outs = new RecentOuts()
  const runs = Array.from({ length: 6 }, (_, index) => out(`i${index}`))
  const alone = out('alone')
  outs.add(alone, 8, 0)
  for (const [index, run] of runs.entries()) {
    outs.add(run, 8, 2000 + index)
    if (index === 3) expect(penalties(runs)).toEqual([1, 1, 1, 1, 1, 1])
  }
  expect(penalties(runs)).toEqual([0, 0, 0, 0, 0, 0])
  expect(penalties([alone])).toEqual([1])
  const [again = alone] = runs
  moreOf(again).penalty = { value: 1, at: 4000, suppressed: false }
  outs.add(again, 8, 4000)
  expect(penalties([again])).toEqual([1])
})

it('costs little for ten thousands at once', () => {
  const outs = new RecentOuts()
  const runs = Array.from({ length: 40_000 }, (_, index) => out(`i${index}`))
  const begun = performance.now()
  for (const [index, run] of runs.entries()) outs.add(run, runs.length, index / 100)
  expect(performance.now() - begun).toBeLessThan(2000)
  expect(penalties(runs).every(penalty => penalty === 0)).toBe(true)
})
