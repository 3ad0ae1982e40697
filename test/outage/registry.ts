import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Faults } from '../faults/faults.ts'
import { monotonicMs, sleep } from '../faults/monotonic.ts'
import type { Namespace } from '../faults/namespace.ts'
import { type Program, portolanMain, script } from '../faults/program.ts'

const everywhere = { cpus: '0-1' }

export interface RegistryOptions {
  readonly listen: string
  readonly namespace?: Namespace
}

/** `portolan up --roles registry` that can die and start again over the same data. */
export interface Registry {
  program: Program
  /** Resolves when it is ready. */
  start(): Promise<void>
}

export async function openRegistry(
  faults: Faults,
  { listen, namespace }: RegistryOptions,
): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-outage-'))
  faults.later(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'portolan.yaml')
  const beyond = listen.startsWith('127.') ? '' : ', insecure: true }\nauth: { anonymous: admin'
  writeFileSync(file, `api: { listen: ["${listen}"]${beyond} }\n`)
  const args = ['up', '--config', file, '--data', join(folder, 'data'), '--roles', 'registry']
  const start = (): Program =>
    faults.start(portolanMain, args, {
      ...everywhere,
      preload: ['tethered'],
      env: { PORTOLAN_LOG: 'warn' },
      ...(namespace === undefined ? {} : { namespace }),
    })
  const registry: Registry = {
    program: start(),
    async start() {
      registry.program = start()
      await isReady(registry.program)
    },
  }
  await isReady(registry.program)
  return registry
}

const isReady = (program: Program): Promise<true> =>
  program.line(line => (/^(ready|joined)\b/.test(line) ? true : undefined), 120_000)

export interface FleetOptions {
  readonly url: string
  readonly service: string
  readonly services?: number
  /** Three numbers, such as `127.7.0`: addresses go on from there. */
  readonly network: string
  readonly first: number
  readonly count: number
  readonly namespace?: Namespace
  /** As each registers them. Default: none in particular. */
  readonly checks?: readonly unknown[]
}

/** So many instances in one process. Resolves when all are registered. */
export async function startFleet(faults: Faults, options: FleetOptions): Promise<Program> {
  const { url, service, services = 1, network, first, count, namespace, checks } = options
  const program = faults.start(
    fileURLToPath(new URL('./programs/fleet.ts', import.meta.url)),
    [
      ...[url, service, String(services), network, String(first), String(count)],
      ...(checks === undefined ? [] : [JSON.stringify(checks)]),
    ],
    { ...everywhere, ...(namespace === undefined ? {} : { namespace }) },
  )
  await isReady(program)
  return program
}

export interface Counts {
  readonly ok: number
  readonly failed: number
}

/** A gateway with visitors, and callers by SDK: both send at their rate whatever happens. */
export interface Load {
  readonly gateway: string
  counts(): Promise<{ readonly gateway: Counts; readonly sdk: Counts }>
}

export interface LoadOptions {
  readonly url: string
  readonly service: string
  /** Of the gateway and its admin port, both free. */
  readonly ports: readonly [number, number]
  /** Through the gateway, each second. The SDK's two clients send 400. */
  readonly rate: number
}

export async function startLoad(faults: Faults, options: LoadOptions): Promise<Load> {
  const { url, service, ports } = options
  const sdk = faults.start(script('consumer'), [url, service, '2', 'fetch'], everywhere)
  const [visitors] = await Promise.all([startVisitors(faults, options), isReady(sdk)])
  const [, admin] = ports
  return {
    gateway: `http://127.0.0.1:${admin}`,
    async counts() {
      const [byGateway, bySdk] = await Promise.all([
        visitors.ask<Counts>('counts'),
        sdk.ask<Counts>('counts'),
      ])
      return { gateway: byGateway, sdk: bySdk }
    },
  }
}

/** A gateway, and visitors that answer `counts`. */
export async function startVisitors(
  faults: Faults,
  { url, service, ports: [port, admin], rate }: LoadOptions,
): Promise<Program> {
  const args = ['--join', url, '--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`]
  await isReady(faults.start(portolanMain, ['lb', ...args], { ...everywhere, preload: ['tethered'] }))
  const visitors = faults.start(
    script('visitors'),
    [`${service}.portolan`, String(rate), `http://127.0.0.1:${port}/`],
    everywhere,
  )
  await isReady(visitors)
  return visitors
}

/** Failed and answered requests between two counts. */
export async function during(load: Load, before: Awaited<ReturnType<Load['counts']>>) {
  const after = await load.counts()
  const since = (kind: 'gateway' | 'sdk') => ({
    answered: after[kind].ok - before[kind].ok,
    failed: after[kind].failed - before[kind].failed,
  })
  return { gateway: since('gateway'), sdk: since('sdk') }
}

/** Waits until `look` is satisfied; answers when that was. */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  withinMs = 60_000,
  everyMs = 20,
): Promise<number> {
  const deadline = monotonicMs() + withinMs
  for (;;) {
    if (await look()) return monotonicMs()
    if (monotonicMs() > deadline) throw new Error(`waited ${withinMs} ms for: ${what}`)
    await sleep(everyMs)
  }
}

/** Sums of `GET /api/v1/services`, and the sessions that are open; zeros while nobody answers. */
export async function standing(url: string) {
  try {
    const response = await fetch(`${url}/api/v1/services`)
    const { services } = (await response.json()) as {
      services: readonly { readonly instances: number; readonly healthy: number }[]
    }
    const metrics = await (await fetch(`${url}/metrics`)).text()
    return {
      instances: services.reduce((sum, { instances }) => sum + instances, 0),
      healthy: services.reduce((sum, { healthy }) => sum + healthy, 0),
      sessions: [...metrics.matchAll(/^portolan_registry_sessions\{state="\w+"\} (\d+)/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      ),
    }
  } catch {
    return { instances: 0, healthy: 0, sessions: 0 }
  }
}
