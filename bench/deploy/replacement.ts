import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { connect, type Portolan } from '@portolan/client'
import { type Answer, Load, type Sent, throughGateway } from '../../test/e2e/load.ts'
import { until } from '../../test/e2e/processes.ts'
import { freePort } from '../../test/ports.ts'
import { end, fromSource, root, start } from '../programs.ts'
import { type Bench, quantile, round } from '../row.ts'

const replicas = 20
/** Through the gateway and through the SDK together. */
const requestsPerSecond = 1000
const calmMs = 3000

/**
 * Requests that failed or were reset while `portolan up` replaced 20 instances one after the other: 1,000 a second in
 * an open loop over connections that are kept, half through the gateway and half through the SDK, half of them POSTs,
 * which nobody may repeat. The instances know nothing of Portolan, have no hook before their end, and are gone the
 * moment SIGTERM comes.
 */
export const deployFailedRow: Bench = async say => {
  const directory = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const harbour = await openHarbour(directory)
  const agent = new Agent({ keepAlive: true, maxSockets: 100 })
  const client = await connect(harbour.api)
  try {
    const order = client.service('order')
    await until(`${replicas} instances`, async () => (await healthyOf(harbour.api)) === replicas, 120_000)
    const drains = watchDrains(client)
    const paths = {
      gateway: load(throughGateway(agent, harbour.gateway, 'order.portolan')),
      sdk: load(async (number, method) => {
        const response = await order.fetch(`/orders/${number}`, { method })
        const { instance } = (await response.json()) as { instance?: string }
        return { status: response.status, instance, method }
      }),
    }
    say(`${calmMs} ms of ${requestsPerSecond} requests/s, then 20 replacements`)
    await setTimeout(calmMs)
    const from = performance.now()
    harbour.configure('blue')
    await until('the new configuration', () => harbour.output().includes('loaded again'), 300_000)
    const to = performance.now()
    await setTimeout(500)
    await Promise.all(Object.values(paths).map(each => each.stop()))
    const failed = Object.values(paths).flatMap(each => each.failed)
    const addedMs = drains()
    if (addedMs.length < replicas) throw new Error(`only ${addedMs.length} instances were drained`)
    return {
      row: 'deploy.failed',
      value: failed.length,
      unit: 'count',
      better: 'lower',
      detail: {
        atMost: 0,
        aim: 0,
        replaced: replicas,
        seconds: round((to - from) / 1000, 1),
        addedMsPerInstance: { p50: round(quantile(addedMs, 0.5), 1), max: round(Math.max(...addedMs), 1) },
        gatewayRetries: await harbour.retries(),
        gateway: described(paths.gateway, from, to),
        sdk: described(paths.sdk, from, to),
        firstFailures: failed.slice(0, 3).map(({ method, status, error }) => ({ method, status, error })),
      },
    }
  } finally {
    agent.destroy()
    await client.close({ graceMs: 0 })
    await end(harbour.up, 'SIGINT')
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Harbour {
  readonly up: ChildProcess
  readonly api: string
  readonly gateway: string
  readonly output: () => string
  configure(colour: string): void
  retries(): Promise<number>
}

async function openHarbour(directory: string): Promise<Harbour> {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const program = join(root, 'test/e2e/programs/abrupt.mjs')
  const file = join(directory, 'portolan.yaml')
  const configure = (colour: string): void =>
    writeFileSync(
      file,
      `api: { listen: ["127.0.0.1:${api}"] }
gateway: { listen: "127.0.0.1:${gateway}", admin: "127.0.0.1:${admin}" }
services:
  order: { run: { command: [node, ${program}], replicas: ${replicas}, env: { COLOUR: ${colour} } } }
`,
    )
  configure('red')
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
  const url = `http://127.0.0.1:${api}`
  await until('the server', () => isUp(url), 60_000)
  await until('the gateway', () => isUp(`http://127.0.0.1:${admin}`), 60_000)
  return {
    up,
    api: url,
    gateway: `http://127.0.0.1:${gateway}`,
    output: () => output,
    configure,
    async retries() {
      const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
      return Number(/^portolan_gateway_retries_total\{.*\} (\d+)$/m.exec(metrics)?.[1])
    },
  }
}

async function isUp(api: string): Promise<boolean> {
  const response = await fetch(`${api}/healthz`).catch(() => undefined)
  return response?.ok === true
}

async function healthyOf(api: string): Promise<number> {
  const response = await fetch(`${api}/api/v1/services/order/instances?healthy=true`)
  return ((await response.json()) as { instances: unknown[] }).instances.length
}

function load(send: (number: number, method: string) => Promise<Sent>): Load {
  return new Load(requestsPerSecond / 2, number => send(number, number % 2 === 0 ? 'GET' : 'POST'))
}

/** How long each instance took from its drain until it was gone, as a subscriber saw it; what a deploy adds. */
function watchDrains(client: Portolan): () => readonly number[] {
  const since = new Map<string, number>()
  const took: number[] = []
  const watch = async (): Promise<void> => {
    for await (const { instances } of client.watch('order')) {
      const now = performance.now()
      const draining = instances.filter(({ causes }) => causes.some(({ kind }) => kind === 'draining'))
      const ids = new Set(draining.map(({ id }) => id))
      for (const [id, from] of since) {
        if (ids.has(id)) continue
        took.push(now - from)
        since.delete(id)
      }
      for (const id of ids) if (!since.has(id)) since.set(id, now)
    }
  }
  void watch()
  return () => took
}

function described({ answers, failed }: Load, from: number, to: number) {
  const p99 = (which: (answer: Answer) => boolean) =>
    round(
      quantile(
        answers.filter(which).map(({ sentAt, at }) => at - sentAt),
        0.99,
      ),
      1,
    )
  return {
    requests: answers.length,
    failed: failed.length,
    instances: new Set(answers.map(({ instance }) => instance)).size,
    p99MsBefore: p99(({ at }) => at < from),
    p99MsDuring: p99(({ sentAt, at }) => at >= from && sentAt <= to),
  }
}
