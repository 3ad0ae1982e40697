import type { Clock, Instance, Random } from '@portolan/core'
import type { Registry as Metrics } from 'prom-client'
import type { LoadedConfig } from '../config/load.ts'
import { workloads } from '../config/resolve.ts'
import type { Health } from '../health/health.ts'
import type { Log } from '../observe/log.ts'
import type { Access } from '../registry/access/access.ts'
import { readGrants } from '../registry/access/grants.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import { type WorkloadDefinition, workloadKey } from './definition.ts'
import { type Following, followOutput } from './follow.ts'
import { storeLedger } from './ledger.ts'
import { accessMint, registryRegistrar } from './registrar.ts'
import { openWorkloads, type Workloads } from './workloads.ts'

export interface FleetOptions {
  readonly loaded: LoadedConfig
  readonly registry: Registry
  readonly health: Health
  readonly access: Access
  readonly store: Store
  readonly directory: string
  /** How the programs reach the API. */
  readonly url: string
  /** Programs of Portolan's own, by name: the words that start each of them, from the Node binary on. */
  readonly own: Readonly<Record<string, readonly string[]>>
  /** Takes each line of the programs that are to be shown. */
  readonly show: (line: string) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** Everything that a server runs: the services of its configuration, its gateway and its DNS. */
export interface Fleet {
  readonly workloads: Workloads
  /** Starts what is new, drains and ends what is gone, and replaces what has changed, copy by copy. */
  reload(loaded: LoadedConfig): Promise<void>
  close(now: boolean): Promise<void>
}

export async function openFleet(options: FleetOptions): Promise<Fleet> {
  const { loaded, registry, health, access, store, url, directory, clock, random, log, metrics } = options
  const own = Object.entries(options.own).map(([name, command]) => ownDefinition(name, command, access))
  let runs = workloads(loaded)
  const definitions = [...runs, ...own]
  const supervised = await openWorkloads({
    definitions,
    registrar: registryRegistrar(registry, health),
    ledger: storeLedger(store),
    mint: accessMint(access),
    url,
    directory,
    clock,
    random,
    log,
    metrics,
    obstacle: name => obstacleOf(registry.find(name)),
  })
  const shown = new Map<string, Following>()
  const showOutput = async (): Promise<void> => {
    const wanted = new Set<string>()
    for (const { workload, id, log: path } of supervised.states()) {
      if (!runs.some(run => run.console && workloadKey(run) === workload)) continue
      wanted.add(path)
      if (shown.has(path)) continue
      shown.set(
        path,
        followOutput(path, line => options.show(`${id} │ ${line}`)),
      )
    }
    await hide([...shown.keys()].filter(path => !wanted.has(path)))
  }
  const hide = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      const following = shown.get(path)
      shown.delete(path)
      await following?.look()
      following?.close()
    }
  }
  await showOutput()
  return {
    workloads: supervised,
    async reload(next) {
      runs = workloads(next)
      await supervised.apply([...runs, ...own])
      await showOutput()
    },
    async close(now) {
      await supervised.close({ now })
      await hide([...shown.keys()])
    },
  }
}

/** What an operator took out of service is no reason to keep the others from being replaced. */
function obstacleOf(instance: Instance | undefined): string | undefined {
  if (instance === undefined) return 'it is not registered'
  const cause = instance.causes.find(({ kind }) => kind !== 'operator')
  return cause && `${cause.kind}: ${cause.reason}`
}

/** A program of Portolan's own, like any other: restarted when it fails, adopted after the server was killed. */
function ownDefinition(name: string, command: readonly string[], access: Access): WorkloadDefinition {
  const token = { name, grants: readGrants, replace: true }
  return {
    name,
    command,
    secrets: async () => ({ PORTOLAN_TOKEN: (await access.mint(token)).secret }),
  }
}
