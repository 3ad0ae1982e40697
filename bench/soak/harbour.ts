import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../test/e2e/processes.ts'
import { freePort } from '../../test/ports.ts'
import { descendantWith } from '../peers/proxy/ours.ts'
import { end, fromSource, root, start } from '../programs.ts'
import { round } from '../row.ts'

/** What `portolan up` is told of the service `order`. */
export interface Workload {
  readonly command: readonly string[]
  readonly replicas: number
  readonly policy?: string
  /** A path with a route of its own. */
  readonly route?: string
}

/** Resident, in MB. */
export interface Memory {
  readonly gateway: number
  readonly registry: number
}

export interface Harbour {
  readonly up: ChildProcess
  /** The gateway's; everything there goes to `order`. */
  readonly port: number
  /** What `up` has said so far. */
  readonly output: () => string
  /** Has it go on with another configuration. */
  configure(workload: Workload): void
  memory(): Memory
}

/** `portolan up` with one supervised service behind its gateway, which answers already. */
export async function openHarbour(directory: string, workload: Workload): Promise<Harbour> {
  const [api, port, admin] = [await freePort(), await freePort(), await freePort()]
  const file = join(directory, 'portolan.yaml')
  const configure = ({ command, replicas, policy = 'least-request', route = '/order' }: Workload): void =>
    writeFileSync(
      file,
      `api: { listen: ["127.0.0.1:${api}"] }
gateway:
  listen: 127.0.0.1:${port}
  admin: 127.0.0.1:${admin}
  routes:
    - { match: { path: ${route} }, service: order }
    - { match: { path: / }, service: order }
services:
  order:
    balancer: { policy: ${policy} }
    run: { command: ${JSON.stringify(command)}, replicas: ${replicas} }
`,
    )
  configure(workload)
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const args = [
    ...fromSource,
    main,
    'up',
    '--roles',
    'registry,gateway',
    '--config',
    file,
    '--data',
    join(directory, 'data'),
  ]
  const up = start(0, process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  up.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  try {
    await until('the gateway', () => answers(`http://127.0.0.1:${admin}/healthz`), 60_000)
    await until('the service', () => answers(`http://127.0.0.1:${port}/`), 60_000)
  } catch (error) {
    await end(up, 'SIGINT')
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output}`)
  }
  const gateway = descendantWith(up.pid ?? 0, 'lb')
  return {
    up,
    port,
    configure,
    output: () => output,
    memory: () => ({ gateway: residentMB(gateway), registry: residentMB(up.pid ?? 0) }),
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.ok === true
}

function residentMB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024, 1)
}
