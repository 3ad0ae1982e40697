import { type Clock, seededRandom } from '../../time/clock.ts'
import { Balancer } from '../balancer.ts'
import { policyByName } from '../policies.ts'
import { weightedSet } from './sets.ts'

export interface BenchPickOptions {
  /** The weight of each instance. Default 1 for all. */
  readonly weightOf?: (index: number) => number
  /** Default 7. */
  readonly rounds?: number
  /** Picks a round. Default 200,000. */
  readonly picks?: number
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
  const { weightOf = () => 1, rounds = 7, picks = 200_000, inFlight = 64 } = options
  const balancer = new Balancer(policyByName(policyName), seededRandom(7))
  balancer.update(weightedSet(Array.from({ length: instances }, (_, index) => weightOf(index))))
  const measured = Array.from({ length: rounds + 1 }, () => {
    const start = clock.now()
    pickAndDone(balancer, picks, inFlight)
    return ((clock.now() - start) * 1e6) / picks
  })
  return median(measured.slice(1))
}

function pickAndDone(balancer: Balancer, picks: number, inFlight: number): void {
  const open = Array.from({ length: inFlight }, () => balancer.pick())
  for (let count = 0; count < picks; count++) {
    const slot = count % inFlight
    const ended = open[slot]
    if (ended !== undefined) balancer.done(ended, 'success')
    open[slot] = balancer.pick()
  }
  for (const endpoint of open) if (endpoint !== undefined) balancer.done(endpoint, 'success')
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
