import { performance } from 'node:perf_hooks'
import type { PolicyName } from '@portolan/core'
import { benchPick, benchUpdate } from '../packages/core/src/balance/testing/bench-pick.ts'
import { type Bench, round } from './row.ts'

const clock = { now: () => performance.now() }
/** Weights from 1 to 5: what a set looks like that has seen two generations of machines and a canary. */
const mixed = (index: number): number => 1 + (index % 5)

/** These are asked with a key. */
const hashing: readonly string[] = ['ring-hash', 'maglev'] satisfies readonly PolicyName[]

/** Nanoseconds for one pick and its `done` among 1,000 instances of equal weight, through the whole balancer. */
export function pickRow(policy: PolicyName): Bench {
  return async () => {
    const keys = hashing.includes(policy) ? 4096 : 0
    const measure = (size: number, weightOf: (index: number) => number = () => 1): number =>
      round(benchPick(policy, size, clock, { weightOf, keys }), 1)
    return {
      row: `pick.${policy}`,
      value: measure(1000),
      unit: 'ns',
      better: 'lower',
      detail: {
        atMost: 250,
        aim: 50,
        equal10: measure(10),
        mixed10: measure(10, mixed),
        mixed1000: measure(1000, mixed),
        updateUsOneOf10000: round(benchUpdate(policy, 10_000, clock), 0),
      },
    }
  }
}
