/**
 * The gateway alone, before three static instances on 127.0.0.1:19001 to 19003: what the proxy yardstick drives.
 * Prints its port and pid, and runs until it is told to stop.
 *
 *     node --import tsx --conditions=portolan-source bench/peers/gateway-static.ts [PORT]
 */
import { Registry } from 'prom-client'
import { openLog } from '../../packages/portolan/src/observe/log.ts'
import { openGateway } from '../../packages/portolan/src/proxy/gateway.ts'
import { instanceOf, StaticResolver } from '../../packages/portolan/src/proxy/testing/static-resolver.ts'

const resolver = new StaticResolver()
resolver.give(
  'backend',
  [19001, 19002, 19003].map((port, index) => instanceOf('backend', `backend-${index + 1}`, port)),
)
const gateway = await openGateway({
  resolver,
  routes: { routes: [{ match: { path: '/' }, service: 'backend' }], exposed: 'all' },
  settings: { listen: [{ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) }] },
  clock: { now: () => performance.now() },
  random: Math.random,
  log: openLog('warn'),
  metrics: new Registry(),
})
console.log(`${gateway.port} ${process.pid}`)

const stop = () => {
  gateway.close().then(
    () => process.exit(0),
    () => process.exit(1),
  )
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
