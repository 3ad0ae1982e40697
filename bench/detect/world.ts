import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Faults } from '../../test/faults/faults.ts'
import { monotonicMs, sleep } from '../../test/faults/monotonic.ts'
import type { Namespace } from '../../test/faults/namespace.ts'
import { type Program, portolanMain, script } from '../../test/faults/program.ts'

/** All processors: what is measured has the first one for itself no longer, but nothing is pinned to the other. */
const everywhere = '0-1'

export interface Listed {
  readonly id: string
  readonly addresses: readonly string[]
  readonly ports: readonly { readonly number: number }[]
  readonly causes: readonly { readonly kind: string; readonly reason: string }[]
}

/** A registry of its own with what one measurement needs around it; everything ends with `close`. */
export interface World {
  readonly faults: Faults
  readonly url: string
  /** The registry's process. */
  readonly registry: Program
  instances(service: string): Promise<readonly Listed[]>
  /** Resolves when so many are healthy. */
  healthy(service: string, count: number): Promise<readonly Listed[]>
  close(): Promise<void>
}

/**
 * Starts `portolan up --roles registry` on the first processor.
 * @param services lines under `services:` of its configuration
 * @param beyondLoopback whether namespaces must reach it
 */
export async function openWorld(
  services = '',
  beyondLoopback = false,
  faults = new Faults(),
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-detect-'))
  faults.later(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const file = join(folder, 'portolan.yaml')
  const listen = beyondLoopback ? '0.0.0.0' : '127.0.0.1'
  const open = beyondLoopback ? ', insecure: true }\nauth: { anonymous: admin' : ''
  writeFileSync(
    file,
    `api: { listen: ["${listen}:${port}"]${open} }\n${services === '' ? '' : `services:\n${services}`}`,
  )
  const registry = faults.start(
    portolanMain,
    ['up', '--config', file, '--data', join(folder, 'data'), '--roles', 'registry'],
    { cpus: '0', preload: ['tethered'] },
  )
  try {
    await registry.line(line => (line.startsWith('ready') ? true : undefined))
  } catch (thrown) {
    await faults.undo()
    throw thrown
  }
  const instances = async (service: string): Promise<readonly Listed[]> => {
    const response = await fetch(`${url}/api/v1/services/${service}/instances`)
    if (response.status === 404) return []
    return ((await response.json()) as { instances: readonly Listed[] }).instances
  }
  return {
    faults,
    url,
    registry,
    instances,
    async healthy(service, count) {
      const deadline = monotonicMs() + 60_000
      for (;;) {
        const found = await instances(service)
        const well = found.filter(({ causes }) => causes.length === 0)
        if (well.length === count) return well
        if (monotonicMs() > deadline)
          throw new Error(`${count} healthy instances never came: ${JSON.stringify(found)}`)
        await sleep(20)
      }
    },
    close: () => faults.undo(),
  }
}

/** One process of a service. */
export interface Member {
  readonly id: string
  readonly program: Program
  readonly address: string
  readonly port: number
}

export interface MemberOptions {
  /** Where it registers by SDK; absent: it does not. */
  readonly url?: string
  readonly address?: string
  readonly port?: number
  readonly namespace?: Namespace
  readonly checks?: readonly unknown[]
}

export async function startMember(faults: Faults, id: string, options: MemberOptions): Promise<Member> {
  const { url = '-', address = '127.0.0.1', namespace } = options
  const program = faults.start(
    script('instance'),
    [url, 'echo', id, address, ...(options.checks === undefined ? [] : [JSON.stringify(options.checks)])],
    {
      cpus: everywhere,
      ...(namespace === undefined ? {} : { namespace }),
      env: { PORT: String(options.port ?? 0) },
    },
  )
  const port = await program.line(line => Number(/^ready \S+ \S+ (\d+)/.exec(line)?.[1]) || undefined)
  return { id, program, address, port }
}

/** When consumers last turned to an address, by kind of consumer. */
export interface LastPicks {
  readonly pick: number
  readonly fetch: number
  readonly gateway: number
}

export interface Consumers {
  readonly count: number
  last(target: Member): Promise<LastPicks>
  counts(): Promise<{ readonly ok: number; readonly failed: number }>
}

const gateways = 4
const clientsPerProcess = 4

/**
 * 20 consumers in 8 processes: 8 clients that only pick (nothing but the registry's word keeps them away from
 * an instance), 8 that fetch 200 times a second, and 4 gateways with 200 visitors a second each.
 */
export async function openConsumers({ faults, url }: World): Promise<Consumers> {
  const attempts = { cpus: everywhere, preload: ['attempts'] } as const
  const sdk = (how: string): Program =>
    faults.start(script('consumer'), [url, 'echo', String(clientsPerProcess), how], attempts)
  const pick = [sdk('pick'), sdk('pick')]
  const fetch = [sdk('fetch'), sdk('fetch')]
  const ports = await Promise.all(Array.from({ length: gateways }, freePort))
  const lbs = ports.map(port =>
    faults.start(
      portolanMain,
      ['lb', '--join', url, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0'],
      attempts,
    ),
  )
  const isReady = (line: string): true | undefined => (/^(ready|joined)$/.test(line) ? true : undefined)
  await Promise.all([...pick, ...fetch, ...lbs].map(program => program.line(isReady)))
  const visitors = faults.start(
    script('visitors'),
    ['echo.portolan', '200', ...ports.map(port => `http://127.0.0.1:${port}/`)],
    { cpus: everywhere },
  )
  await visitors.line(isReady)

  const latest = async (programs: readonly Program[], target: string): Promise<number> =>
    Math.max(...(await Promise.all(programs.map(program => program.ask<number>('last', target)))))
  return {
    count: (pick.length + fetch.length) * clientsPerProcess + lbs.length,
    async last({ address, port }) {
      const target = `${address}:${port}`
      const [byPick, byFetch, byGateway] = await Promise.all(
        [pick, fetch, lbs].map(programs => latest(programs, target)),
      )
      return { pick: byPick ?? 0, fetch: byFetch ?? 0, gateway: byGateway ?? 0 }
    },
    async counts() {
      const all = await Promise.all(
        [...fetch, visitors].map(program => program.ask<{ ok: number; failed: number }>('counts')),
      )
      return {
        ok: all.reduce((sum, { ok }) => sum + ok, 0),
        failed: all.reduce((sum, { failed }) => sum + failed, 0),
      }
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
