import { formatIp, type Instance } from '@portolan/core'
import { Bench } from 'tinybench'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { openDirectory } from './open-directory.ts'
import { StaticCatalogue } from './testing/static-catalogue.ts'

// 999 services with 3 instances each, and one with 3,000: what does a change of one instance cost?
const ill = [{ kind: 'http' as const, owner: 'check', reason: 'down', since: '2030-01-01T00:00:00.000Z' }]

let count = 0
const made = (service: string, id: string): Instance => {
  count += 1
  const address = formatIp({ family: 4, bytes: [10, count >> 16, (count >> 8) & 255, count & 255] })
  return instanceOf(service, id, 80, { addresses: [address], host: `box-${count % 100}`, zone: 'zone-a' })
}
const named = (service: string) => ({ namespace: 'default', service })
const many = (service: string, length: number) =>
  Array.from({ length }, (_, index) => made(service, `i-${String(index).padStart(5, '0')}`))

const catalogue = new StaticCatalogue()
const clock = { now: () => performance.now() }
const timers = { after: () => () => {} }
const directory = openDirectory({ resolver: catalogue, clock, timers, ttlMs: 1000 })
const names = ['large', ...Array.from({ length: 999 }, (_, index) => `small-${index}`)].map(named)
catalogue.list(names)
const large = many('large', 3000)
const small = many('small-5', 3)
for (const name of names) catalogue.give(name, name.service === 'small-5' ? small : many(name.service, 3))
catalogue.give(named('large'), large)

/** As a delta of the registry leaves it: all but one are the same objects. */
function changing(name: string, instances: readonly Instance[]): () => void {
  let turn = 0
  return () => {
    const at = turn++ % instances.length
    const next = instances.map((one, index) => (index === at ? { ...one, causes: turn % 2 ? ill : [] } : one))
    catalogue.give(named(name), next)
  }
}

const known = directory.service('default', 'large')
const bench = new Bench({ time: 500 })
bench.add('one of 3', changing('small-5', small))
bench.add('one of 3,000', changing('large', large))
bench.add('all of 3,000, as a snapshot has it', () => {
  catalogue.give(
    named('large'),
    large.map(one => ({ ...one })),
  )
})
let extra = 0
bench.add('a service comes, and another goes, of 1,000', () => {
  extra += 1
  catalogue.list([...names, named(`new-${extra}`)])
  catalogue.give(named(`new-${extra}`), [])
})
bench.add('look-up', () => {
  directory.service('default', 'small-77')
})
bench.add('touched', () => {
  if (known !== undefined) directory.touched(known)
})
await bench.run()
for (const { name: task, result } of bench.tasks) {
  const latency = result.state === 'completed' ? `${(result.latency.p50 * 1e6).toFixed(0)} ns` : result.state
  process.stdout.write(`${task}: ${latency}\n`)
}
