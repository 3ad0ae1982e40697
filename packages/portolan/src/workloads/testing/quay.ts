import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Registration } from '@portolan/core'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { openMemoryStore } from '../../store/memory.ts'
import type { WorkloadDefinition } from '../definition.ts'
import { storeLedger, type WorkloadLedger } from '../ledger.ts'
import type { ReportingRegistrar } from '../session-registrar.ts'
import type { WorkloadsOptions } from '../supervisor.ts'
import { openWorkloads, type Workloads } from '../workloads.ts'

/** What the supervisor told its registrar, in order. */
export interface Said {
  readonly what: 'register' | 'departed' | 'drain' | 'report'
  readonly id: string
  readonly at: number
  readonly registration?: Registration
}

/** A registrar that writes down what it hears. */
export function listeningRegistrar(
  answers: Partial<ReportingRegistrar> = {},
): ReportingRegistrar & { readonly said: Said[] } {
  const said: Said[] = []
  const hear = (what: Said['what'], id: string, registration?: Registration): void => {
    said.push({ what, id, at: performance.now(), ...(registration !== undefined && { registration }) })
  }
  return {
    said,
    async register(registration, checks) {
      hear('register', registration.id, registration)
      await answers.register?.(registration, checks)
    },
    async report(name, report) {
      hear('report', name.id)
      await answers.report?.(name, report)
    },
    async departed(name) {
      hear('departed', name.id)
      await answers.departed?.(name)
    },
    async drain(name, graceMs) {
      hear('drain', name.id)
      await answers.drain?.(name, graceMs)
    },
  }
}

const program = fileURLToPath(new URL('./program.mjs', import.meta.url))

/** `node program.mjs …`: see there for what it can be told to do. */
export function programCommand(...behaviour: string[]): string[] {
  return [process.execPath, program, ...behaviour]
}

export function service(name: string, more: Partial<WorkloadDefinition> = {}): WorkloadDefinition {
  return { name, service: { service: name }, command: programCommand(), stopGraceMs: 5000, ...more }
}

/** A supervisor with everything around it, in a folder of its own; `leave` ends both. */
export async function openQuay(
  definitions: readonly WorkloadDefinition[],
  more: Partial<WorkloadsOptions> & { readonly ledger?: WorkloadLedger } = {},
) {
  const directory = more.directory ?? mkdtempSync(join(tmpdir(), 'portolan-workloads-'))
  const registrar = listeningRegistrar(more.registrar)
  const metrics = new Registry()
  let minted = 0
  const options: WorkloadsOptions = {
    definitions,
    ledger: storeLedger(openMemoryStore()),
    mint: async name => `token-${name.id}-${++minted}`,
    url: 'http://127.0.0.1:7400',
    directory,
    clock: { now: () => performance.now() },
    random: Math.random,
    log: pino({ level: 'silent' }),
    metrics,
    ...more,
    registrar,
  }
  const workloads: Workloads = await openWorkloads(options)
  return {
    workloads,
    metrics,
    directory,
    ledger: options.ledger,
    said: registrar.said,
    state: (id: string) => workloads.states().find(state => state.id === id),
    output: (id: string) => readFileSync(join(directory, 'logs', `${id}.log`), 'utf8'),
    async leave() {
      await workloads.close({ now: true })
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Waits until `look` gives something true, and gives that. */
export async function until<T>(look: () => T | Promise<T>, timeoutMs = 15_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen) return seen
    if (performance.now() > deadline) throw new Error(`never came true: ${look}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
