import { performance } from 'node:perf_hooks'
import { Registry as MetricsRegistry } from 'prom-client'
import { openApi } from '../../../packages/portolan/src/api/server.ts'
import { openHealth } from '../../../packages/portolan/src/health/open-health.ts'
import { tcpProbe } from '../../../packages/portolan/src/health/probes/tcp.ts'
import { openLog } from '../../../packages/portolan/src/observe/log.ts'
import { openAccess } from '../../../packages/portolan/src/registry/access/access.ts'
import { openRegistry } from '../../../packages/portolan/src/registry/open-registry.ts'
import { openLmdbStore } from '../../../packages/portolan/src/store/lmdb.ts'

/** A registry and its API with nothing around them, to be killed and stopped: DIRECTORY PORT. */
const [directory = '', port = '0'] = process.argv.slice(2)
const log = openLog('fatal')
const metrics = new MetricsRegistry()
const clock = { now: () => performance.now() }
const probes = { tcp: tcpProbe() }
const health = openHealth({ clock, random: Math.random, log, metrics, probes })
const store = await openLmdbStore({ directory })
const registry = await openRegistry({
  store,
  log,
  metrics,
  clock,
  random: Math.random,
  prober: health.prober,
})
health.attach(registry)
const access = await openAccess({ store, log, anonymous: 'admin' })
const routes = { table: { routes: [], exposed: 'all' as const }, subscribe: () => () => {} }
const settings = { listen: [{ host: '127.0.0.1', port: Number(port) }] }
await openApi({ registry, access, health, routes, log, metrics, settings, version: '0.0.0-test' })
process.stdout.write('ready\n')
