import { type Clock, seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import type { PickContext } from '../picker.ts'
import { policyByName } from '../policies.ts'
import { weightedSet } from './sets.ts'

export interface BenchPickOptions {
  /** The weight of each instance. Default 1 for all. */
  readonly weightOf?: (index: number) => number
  /** Default 7. */
  readonly rounds?: number
  /** Picks a round. Default 200,000. */
  readonly picks?: number
  /** Requests carry one of so many keys each; 0 = none do. Default 0. */
  readonly keys?: number
  /** Requests in flight all the while: each new pick ends the one that so many came after it. Default 64. */
  readonly inFlight?: number
}

/**
 * Nanoseconds for one `pick` and its `done`, through a whole {@link Balancer} over `instances` endpoints: the
 * median of several rounds, after one round that does not count.
 * @param policyName a name of {@link policyByName}
 */
export function benchPick(
  policyName: string,
  instances: number,
  clock: Clock,
  options: BenchPickOptions = {},
): number {
  const { weightOf = () => 1, rounds = 7, picks = 200_000, inFlight = 64, keys = 0 } = options
  const balancer = new Balancer(policyByName(policyName), seededRandom(7))
  balancer.update(weightedSet(Array.from({ length: instances }, (_, index) => weightOf(index))))
  const contexts = Array.from({ length: keys }, (_, key) => ({ hashKey: `user-${key}` }))
  const measured = Array.from({ length: rounds + 1 }, () => {
    const start = clock.now()
    pickAndDone(balancer, { picks, inFlight, contexts })
    return ((clock.now() - start) * 1e6) / picks
  })
  return median(measured.slice(1))
}

/**
 * Microseconds for a set in which one of `instances` is another than before: the median of so many updates, after one that
 * does not count.
 */
export function benchUpdate(policyName: string, instances: number, clock: Clock, updates = 11): number {
  const balancer = new Balancer(policyByName(policyName), seededRandom(7))
  const { instances: all, ...set } = weightedSet(Array<number>(instances).fill(1))
  const middle = instances >> 1
  // As sets come: what has not changed is shared with the set before.
  const sets = [0, 1].map(turn => ({
    ...set,
    instances: all.map((each, i) => (i === middle ? { ...each, id: `${each.id}-${turn}` } : each)),
  }))
  const measured = Array.from({ length: updates + 1 }, (_, update) => {
    const set = sets[update % 2]
    const start = clock.now()
    if (set !== undefined) balancer.update(set)
    return (clock.now() - start) * 1000
  })
  return median(measured.slice(1))
}

interface Course {
  readonly picks: number
  readonly inFlight: number
  readonly contexts: readonly PickContext[]
}

function pickAndDone(balancer: Balancer, { picks, inFlight, contexts }: Course): void {
  const open = Array.from({ length: inFlight }, () => balancer.pick())
  for (let count = 0; count < picks; count++) {
    const slot = count % inFlight
    const ended = open[slot]
    if (ended !== undefined) balancer.done(ended, 'success', 10)
    open[slot] = balancer.pick(contexts[count % contexts.length])
  }
  for (const endpoint of open) if (endpoint !== undefined) balancer.done(endpoint, 'success')
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
