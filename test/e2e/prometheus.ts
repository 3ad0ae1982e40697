import { freePort } from '../ports.ts'
import { getJson, type Processes, until } from './processes.ts'

export interface Target {
  readonly labels: Readonly<Record<string, string>>
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly scrapePool: string
  /** Of its last scrape: `up`, `down` or `unknown`. */
  readonly health: string
}

export interface Prometheus {
  /** What it scrapes now. */
  targets(): Promise<readonly Target[]>
  /** One of its own metrics. */
  metric(name: string): Promise<number>
}

/** Starts Debian's Prometheus on a port and in a folder of its own. `jobs` is the text below `scrape_configs:`. */
export async function startPrometheus(
  processes: Processes,
  jobs: string,
  wrap = (command: string, args: readonly string[]): [string, readonly string[]] => [command, args],
  host = '127.0.0.1',
): Promise<Prometheus> {
  const directory = processes.directory()
  const text = `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n${jobs}`
  const file = processes.file('prometheus.yml', text, directory)
  const port = await freePort()
  const program = processes.start(
    ...wrap('prometheus', [
      `--config.file=${file}`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=${host}:${port}`,
      '--log.level=warn',
    ]),
  )
  const url = `http://${host}:${port}`
  await until('Prometheus to be ready', async () => {
    if (program.child.exitCode !== null) throw new Error(`Prometheus ended: ${program.output()}`)
    return fetch(`${url}/-/ready`).then(
      answer => answer.ok,
      () => false,
    )
  })
  return {
    async targets() {
      const { data } = await getJson<{ data: { activeTargets: readonly Target[] } }>(
        `${url}/api/v1/targets?state=active`,
      )
      return data.activeTargets
    },
    async metric(name) {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN)
    },
  }
}
