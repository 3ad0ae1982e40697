import { Bench } from 'tinybench'
import { seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { type PolicyName, policyByName } from '../policies.ts'
import { weightedSet } from './sets.ts'

const batch = 1000

/**
 * Measures a policy's hot path at 10 and 1,000 instances, and what a set change costs beside it. Run a policy's
 * own file: `node --import tsx packages/core/src/balance/random.bench.ts`.
 */
export async function runPickBench(policyName: PolicyName): Promise<void> {
  const bench = new Bench({ name: policyName, time: 300, warmupTime: 100 })
  for (const count of [10, 1000]) {
    for (const [kind, weightOf] of weightings) {
      const set = weightedSet(Array.from({ length: count }, (_, index) => weightOf(index)))
      const balancer = new Balancer(policyByName(policyName), seededRandom(7))
      balancer.update(set)
      bench.add(`${batch} × pick and done, ${count} ${kind}`, () => pickAndDone(balancer))
      bench.add(`retry past 2 tried × ${batch}, ${count} ${kind}`, () => retry(balancer))
      bench.add(`update, ${count} ${kind}`, () => balancer.update(set))
    }
  }
  await bench.run()
  for (const task of bench.tasks) {
    if (task.result.state !== 'completed')
      throw new Error(`${task.name} did not complete`, { cause: task.result })
  }
  process.stdout.write(`${JSON.stringify(bench.table(), undefined, 2)}\n`)
}

const weightings = [
  ['equal', () => 1],
  ['weighted', (index: number) => 1 + (index % 10)],
] as const satisfies readonly (readonly [string, (index: number) => number])[]

function pickAndDone(balancer: Balancer): void {
  for (let count = 0; count < batch; count++) {
    const picked = balancer.pick()
    if (picked !== undefined) balancer.done(picked, 'success')
  }
}

function retry(balancer: Balancer): void {
  const context = { tried: balancer.endpoints.slice(0, 2) }
  for (let count = 0; count < batch; count++) {
    const picked = balancer.pick(context)
    if (picked !== undefined) balancer.done(picked, 'success')
  }
}
