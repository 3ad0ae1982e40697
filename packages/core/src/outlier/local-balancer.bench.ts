import { Balancer } from '../balance/balancer.ts'
import { policyByName } from '../balance/policies.ts'
import { weightedSet } from '../balance/testing/sets.ts'
import { seededRandom } from '../time/clock.ts'
import { LocalBalancer } from './local-balancer.ts'

// What it costs to listen to outcomes: `node --import tsx packages/core/src/outlier/local-balancer.bench.ts`.
// Rounds take turns, and the least of each counts: on a busy machine everything else is somebody else's time.
const rounds = 60
const picks = 100_000
const set = weightedSet(Array.from({ length: 1000 }, () => 1))

const plain = new Balancer(policyByName('least-request'), seededRandom(7))
plain.update(set)
const local = new LocalBalancer({
  policy: policyByName('least-request'),
  random: seededRandom(7),
  clock: { now: () => performance.now() },
  outliers: {},
  suspect: () => {},
})
local.update(set)

const kinds = {
  balancer() {
    const endpoint = plain.pick()
    if (endpoint !== undefined) plain.done(endpoint, 'success')
  },
  'local balancer'() {
    const endpoint = local.pick()
    if (endpoint !== undefined) local.succeeded(endpoint, 0.25)
  },
} as const

const least: Record<string, number> = {}
for (let round = 0; round < rounds; round++) {
  for (const [kind, one] of Object.entries(kinds)) {
    const begun = performance.now()
    for (let count = 0; count < picks; count++) one()
    least[kind] = Math.min(
      least[kind] ?? Number.POSITIVE_INFINITY,
      ((performance.now() - begun) * 1e6) / picks,
    )
  }
}
const begun = performance.now()
for (let count = 0; count < 100; count++) {
  for (const { tally } of local.endpoints) tally.ok += 1
  local.untold()
  local.sweep()
}
least['report and sweep of 1,000 instances, once a second'] = ((performance.now() - begun) * 1e6) / 100
for (const [kind, ns] of Object.entries(least)) process.stdout.write(`${kind}: ${ns.toFixed(1)} ns\n`)
