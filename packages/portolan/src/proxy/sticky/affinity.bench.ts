import {
  type AffinitySettings,
  type Endpoint,
  LocalBalancer,
  policyByName,
  seededRandom,
} from '@portolan/core'
import { bench, describe } from 'vitest'
import { keyReader } from '../affinity.ts'
import { headOf } from '../testing/heads.ts'
import { instanceOf } from '../testing/static-resolver.ts'
import { type Affinity, affinityBy } from './affinity.ts'
import { newSealKey } from './seal.ts'

const settings: AffinitySettings = { cookie: 'at', keys: [newSealKey()] }
const counts = { kept: 0, busy: 0, moved: 0, lost: 0, invalid: 0, new: 0 }

function opened(endpoints: readonly Endpoint[]): Affinity {
  const affinity = affinityBy(settings, newSealKey(), counts)
  if (affinity === undefined) throw new Error('no affinity')
  affinity.update(endpoints)
  return affinity
}

function balancerOf(instances: number): LocalBalancer {
  const balancer = new LocalBalancer({
    policy: policyByName('least-request'),
    random: seededRandom(1),
    clock: { now: () => 0 },
    outliers: {},
    suspect: () => {},
  })
  const all = Array.from({ length: instances }, (_, n) => instanceOf('order', `order-${10_000 + n}`, 8080))
  const cursor = { epoch: 'bench', revision: 1 }
  balancer.update({ namespace: 'default', service: 'order', cursor, instances: all })
  return balancer
}

const balancer = balancerOf(100)
const affinity = opened(balancer.endpoints)
const first = balancer.endpoints[50]
const home = first === undefined ? '' : (affinity.seatOf(first)?.value ?? '')
const others = '_ga=GA1.2.1166383442.1700000000; theme=dark; sid=s%3A0b1f7c1e-5d0c-4a53-9d3c-9f4c1f1b7a11'
const headWith = (cookie: string) =>
  headOf(
    `GET /cart HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench\r\nAccept: */*\r\nCookie: ${cookie}\r\n\r\n`,
  )

/** What a request costs beside the policy's pick, or in place of it. */
describe('a request', () => {
  const pass = ({ bytes, head }: ReturnType<typeof headOf>): void => {
    const stay = affinity.begin(bytes, head)
    const endpoint = stay.take(balancer, false, undefined) ?? balancer.pick()
    stay.lineBy(endpoint, [])
    if (endpoint !== undefined) balancer.cancelled(endpoint)
  }
  const none = headWith(others)
  const kept = headWith(`${others}; at=${home}`)
  const junk = headWith(`${others}; at=${'x'.repeat(39)}`)
  const forged = headWith(`${others}; at=${'x'.repeat(16)}.${'y'.repeat(22)}`)
  const keyOf = keyReader('cookie:at')

  bench('without affinity', () => {
    const endpoint = balancer.pick()
    if (endpoint !== undefined) balancer.cancelled(endpoint)
  })
  bench('no cookie of ours', () => pass(none))
  bench('at home', () => pass(kept))
  bench('a cookie of another form', () => pass(junk))
  bench('a forged cookie', () => pass(forged))
  bench('hashBy, for comparison: its key alone', () => {
    keyOf?.(kept.bytes, kept.head, { peer: '', trusted: false, forwarded: new Uint8Array(), scheme: 'http' })
  })
})

describe.each([10, 1000, 10_000])('a set of %d', size => {
  const { endpoints } = balancerOf(size)
  const known = opened(endpoints)
  bench('for the first time', () => void opened(endpoints), { time: 300 })
  bench('when it changes', () => known.update(endpoints), { time: 300 })
})
