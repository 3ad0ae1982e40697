import { fileURLToPath } from 'node:url'
import { end, firstLine, fromSource, start } from '../programs.ts'
import { openRegistry } from '../registry/ours.ts'
import { type Bench, quantile, round } from '../row.ts'
import { openBare, openSessions } from './watchers.ts'

const watchers = 1000
const instances = 5000
const changes = 20

/** Not tested: what is measured is how changes go out. */
const target = { address: '127.0.0.1', port: 18_080, checks: [] }

async function put(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

async function registerCrowd(api: string): Promise<void> {
  for (let first = 0; first < instances; first += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        put(`${api}/api/v1/services/crowd-${(first + i) % 50}/instances/c-${first + i}`, target),
      ),
    )
  }
}

/**
 * Milliseconds from a change until the last of 1,000 watchers of that service has it (from sending the call that makes
 * the change, through the commit), over a bare loop that writes as many bytes to 1,000 sockets; interleaved. Another
 * 1,000 watchers look at other services, and must not be woken.
 */
export const fanoutRow: Bench = async say => {
  await using registry = await openRegistry()
  const api = registry.url
  say(`registering ${instances} instances`)
  await registerCrowd(api)
  await put(`${api}/api/v1/services/hot/instances/h-1`, target)
  say(`opening 2 × ${watchers} watchers`)
  const hot = await openSessions(api, watchers, () => 'hot')
  const others = await openSessions(api, watchers, i => `crowd-${i % 50}`)
  let weight = 1
  const change = async (): Promise<void> => {
    weight += 1
    await put(`${api}/api/v1/services/hot/instances/h-1/override`, { weight })
  }
  await hot.arrivals.round(change)

  const script = fileURLToPath(new URL('./bare-server.ts', import.meta.url))
  const server = start(0, process.execPath, [...fromSource, script, String(hot.bytes())])
  const port = await firstLine(server, line => Number(/^port (\d+)/.exec(line)?.[1]) || undefined)
  const bare = await openBare(port, watchers)
  await bare.arrivals.round(bare.trigger)

  const ours: number[] = []
  const peers: number[] = []
  for (let i = 0; i < changes; i++) {
    say(`change ${i + 1} of ${changes}`)
    peers.push(await bare.arrivals.round(bare.trigger))
    await new Promise(resolve => setTimeout(resolve, 200))
    ours.push(await hot.arrivals.round(change))
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  const woken = others.arrivals.unexpected
  for (const open of [hot, others, bare]) open.close()
  await end(server)
  const figures = (values: number[]) => ({
    p50Ms: round(quantile(values, 0.5), 2),
    p99Ms: round(quantile(values, 0.99), 2),
  })
  return {
    row: 'registry.fanout',
    value: round(quantile(ours, 0.99) / quantile(peers, 0.99)),
    unit: 'ratio',
    better: 'lower',
    peer: 'bare loop of socket writes',
    detail: {
      atMost: 2.0,
      aim: 1.2,
      watchers,
      instances,
      changes,
      checks: 'none (checks: [])',
      portolan: figures(ours),
      bare: figures(peers),
      ratioOfMedians: round(quantile(ours, 0.5) / quantile(peers, 0.5)),
      watchersOfOtherServicesWoken: woken,
    },
  }
}
