// Calls a service at an even rate and times every answer: `caller URL SERVICE RATE HOW`.
// live:  as any application does.
// fixed: the same balancing over the instances of this moment, whatever the registry says of them later.
import { connect, type Instance } from '@portolan/client'
import { openService } from '../../../packages/client/src/balanced/service.ts'
import { FixedResolver } from '../../../packages/client/src/testing/fixed-resolver.ts'
import { localRuntime } from '../../../packages/client/src/testing/local-runtime.ts'
import { monotonicMs } from '../monotonic.ts'
import { obey } from './control.ts'

const [url = '', service = '', rate = '100', how = 'live'] = process.argv.slice(2)

async function fixedService() {
  const response = await fetch(`${url}/api/v1/services/${service}/instances`)
  const { instances } = (await response.json()) as { instances: readonly Instance[] }
  const resolver = new FixedResolver()
  resolver.set(instances.map(instance => ({ ...instance, service: 'order', causes: [] })))
  return openService(resolver, { namespace: 'default', service: 'order' }, {}, localRuntime())
}

const called = how === 'fixed' ? await fixedService() : (await connect(url)).service(service)
for (let i = 0; i < 50; i++) await called.fetch('/').then(response => response.text())

let latencies: number[] = []
const failures: string[] = []

const call = async (): Promise<void> => {
  const from = monotonicMs()
  try {
    const response = await called.fetch('/')
    await response.text()
    if (response.ok) latencies.push(monotonicMs() - from)
    else failures.push(`answered ${response.status}`)
  } catch (error) {
    failures.push(String(error))
  }
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0

obey({
  /** What was found since this was asked last. */
  found: () => {
    const sorted = latencies.sort((a, b) => a - b)
    const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map(share => quantile(sorted, share))
    latencies = []
    const failed = failures.splice(0)
    return { calls: sorted.length, p50, p90, p99, p999, max: sorted.at(-1), failed: failed.slice(0, 20) }
  },
})

const everyMs = 1000 / Number(rate)
const begun = monotonicMs()
let turns = 0
setInterval(() => {
  const due = Math.floor((monotonicMs() - begun) / everyMs)
  for (; turns < due; turns++) void call()
}, 2)
process.stdout.write('ready\n')
