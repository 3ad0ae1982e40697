import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { Faults } from './faults.ts'
import { monotonicMs, sleep } from './monotonic.ts'
import type { Namespace } from './namespace.ts'
import { type Program, portolanMain, script } from './program.ts'

/** Consumers and instances run where there is room; the registry has the first processor. */
export const everywhere = '0-1'

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
  /** The process of the registry. */
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
