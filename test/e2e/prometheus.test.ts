import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { describeWith } from './components.ts'
import { Processes, type Program, root, until } from './processes.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'
import { instancesOf } from './shop-config.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

const program = join(root, 'test/e2e/programs/metrics.mjs')

async function startRegistry() {
  const api = await freePort()
  const directory = processes.directory()
  const file = processes.file('portolan.yaml', `api: { listen: ["127.0.0.1:${api}"] }\n`, directory)
  // Alone: it is killed, and could end no gateway of its own any more.
  const up = await processes.up(['--config', file, '--data', join(directory, 'data'), '--roles', 'registry'])
  return { up, url: `http://127.0.0.1:${api}` }
}

async function secretFor(url: string, service: string): Promise<string> {
  const made = processes.portolan(['token', 'create', 'prometheus', '--services', service, '--url', url])
  return until('a token', () => /^ptl_\S+$/m.exec(made.output())?.[0])
}

function run(url: string, service: string, id: string): Program {
  const options = ['--url', url, '--service', service, '--id', id, '--tag', 'blue', '--meta', 'team.name=x']
  return processes.portolan(['run', ...options, '--address', '127.0.0.1', '--', process.execPath, program])
}

const isHealthy = (url: string, id: string) =>
  until(`${id} healthy`, async () =>
    (await instancesOf(url, 'order')).some(other => other.id === id && other.causes.length === 0),
  )

/** Two jobs: `all` has everybody, `healthy` those without a cause. */
const jobs = (url: string, secret: string) =>
  [
    ['all', ''],
    ['healthy', '?healthy=true'],
  ]
    .map(
      ([name, query]) => `
  - job_name: ${name}
    http_sd_configs:
      - url: ${url}/sd/prometheus${query}
        refresh_interval: 1s
        authorization: { type: Bearer, credentials: ${secret} }
    relabel_configs:
      - { source_labels: [__meta_portolan_id], target_label: instance }
      - { source_labels: [__meta_portolan_health], target_label: health }
`,
    )
    .join('')

/** `order-1 order-2(draining)`: the targets of a job, by their ids. */
async function listed(prometheus: Prometheus, job: string): Promise<string> {
  const targets = (await prometheus.targets()).filter(({ scrapePool }) => scrapePool === job)
  return targets
    .map(({ labels: { instance, health } }) => (health === 'healthy' ? instance : `${instance}(${health})`))
    .sort()
    .join(' ')
}

describeWith(['prometheus'], 'Prometheus that has its targets from /sd/prometheus', () => {
  it('sees instances come, drain and die, and keeps those it has while there is no registry', async () => {
    const { up, url } = await startRegistry()
    for (const id of ['order-1', 'order-2']) run(url, 'order', id)
    run(url, 'cart', 'cart-1')
    await Promise.all(['order-1', 'order-2'].map(id => isHealthy(url, id)))
    const prometheus = await startPrometheus(processes, jobs(url, await secretFor(url, 'order')))
    const both = async (all: string, healthy: string): Promise<number> => {
      const at = performance.now()
      await until(`${all} | ${healthy}`, async () => {
        const now = [await listed(prometheus, 'all'), await listed(prometheus, 'healthy')]
        return now[0] === all && now[1] === healthy
      })
      return performance.now() - at
    }
    await both('order-1 order-2', 'order-1 order-2')
    await until('a scrape of each', async () =>
      (await prometheus.targets()).every(({ health }) => health === 'up'),
    )
    const [first] = await prometheus.targets()
    expect(first?.discoveredLabels).toMatchObject({
      __meta_portolan_service: 'order',
      __meta_portolan_tags: ',blue,',
      __meta_portolan_metadata_team_name: 'x',
      __address__: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    })

    run(url, 'order', 'order-3')
    await isHealthy(url, 'order-3')
    const came = await both('order-1 order-2 order-3', 'order-1 order-2 order-3')

    const drain = processes.portolan(['drain', 'order', 'order-3', '--no-wait', '--url', url])
    await until('the drain', () => drain.child.exitCode !== null)
    const drained = await both('order-1 order-2 order-3(draining)', 'order-1 order-2')

    const victim = (await instancesOf(url, 'order')).find(({ id }) => id === 'order-2')
    process.kill(Number(victim?.metadata.pid), 'SIGKILL')
    const died = await both('order-1 order-3(draining)', 'order-1')

    const failures = await prometheus.metric('prometheus_sd_http_failures_total')
    await up.end('SIGKILL')
    await until(
      'questions without an answer',
      async () => (await prometheus.metric('prometheus_sd_http_failures_total')) > failures + 2,
    )
    expect(await listed(prometheus, 'all')).toBe('order-1 order-3(draining)')
    const ms = [came, drained, died].map(time => time.toFixed(0).padStart(6))
    console.info(
      `Prometheus http_sd, refresh 1s | registered ${ms[0]} ms | drained ${ms[1]} ms | kill -9 ${ms[2]} ms`,
    )
  })
})
