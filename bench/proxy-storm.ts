import { type RouteTable, seededRandom } from '@portolan/core'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openGateway } from '../packages/portolan/src/proxy/gateway.ts'
import { instanceOf, StaticResolver } from '../packages/portolan/src/proxy/testing/static-resolver.ts'
import { openInstance, runStorm } from '../packages/portolan/src/proxy/testing/storm.ts'
import { type Bench, round } from './row.ts'

const seconds = Number(process.env.BENCH_SECONDS ?? 10)
const [slots, serviceMs, count] = [8, 80, 6]
/** Of what the healthy half can do: in the storm, and before and after it, when all together have a fifth to spare. */
const [load, loadAfter] = [2, 1.6]

/**
 * What a retry storm makes of a request: half of the instances answer 503 while there is twice as much to do as the
 * other half can, and the gateway is told to try such answers again, three times. The value is tries over requests.
 */
export const proxyStormRow: Bench = async say => {
  const instances = await Promise.all(Array.from({ length: count }, () => openInstance(slots, serviceMs)))
  const resolver = new StaticResolver()
  resolver.give(
    'order',
    instances.map(({ port }, index) => instanceOf('order', `order-${index + 1}`, port)),
  )
  const routes: RouteTable = {
    routes: [{ match: { path: '/' }, service: 'order' }],
    exposed: [],
    retries: { order: { attempts: 3, on: ['refused', 'connect', 'reset', 502, 503, 504] } },
  }
  const gateway = await openGateway({
    resolver,
    routes,
    settings: { listen: [{ host: '127.0.0.1', port: 0 }], drainMs: 500 },
    clock: { now: () => performance.now() },
    random: seededRandom(7),
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
  })
  try {
    const half = ((count / 2) * slots * 1000) / serviceMs
    const [perSecond, perSecondAfter] = [Math.round(half * load), Math.round(half * loadAfter)]
    say(`${perSecond} requests/s, ${count / 2} of ${count} instances fail for ${seconds} s`)
    const plan = {
      gatewayPort: gateway.port,
      instances,
      perSecond,
      perSecondAfter,
      stormMs: seconds * 1000,
      afterMs: 15_000,
    }
    const result = await runStorm(plan)
    return {
      row: 'proxy.storm',
      value: round(result.tries / result.requests),
      unit: 'ratio',
      better: 'lower',
      detail: {
        atMost: 1.2,
        aim: 1.2,
        recoveryMs: { value: result.recoveryMs, atMost: 5000 },
        inStormAlone: round(result.inStorm.tries / result.inStorm.requests),
        failedShareInStorm: round(result.failedInStorm / result.inStorm.requests),
        failedAfter: result.failedAfter,
        perSecond,
        seconds,
        load,
        loadAfter,
      },
    }
  } finally {
    await gateway.close()
    for (const { close } of instances) close()
  }
}
