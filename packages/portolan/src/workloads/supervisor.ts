import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Clock, defaultNamespace, Fault, type InstanceName, type Random, toFault } from '@portolan/core'
import type { Registry as Metrics } from 'prom-client'
import type { Log } from '../observe/log.ts'
import { type FoundProcess, judge, type ProcessTable, readProcessTable } from './adoption.ts'
import {
  checkDefinition,
  copyId,
  copyKey,
  fingerprint,
  fixedPort,
  instanceName,
  type WorkloadDefinition,
  workloadKey,
} from './definition.ts'
import type { Copy, Mint } from './launch.ts'
import type { WorkloadLedger, WorkloadRecord } from './ledger.ts'
import { defaultTiming, type Timing } from './machine.ts'
import { openWorkloadCounters } from './metrics.ts'
import { openOutputFile } from './output.ts'
import { openPortPool } from './ports.ts'
import { adoptProgram, clearGroup } from './process.ts'
import type { Registrar } from './registrar.ts'
import { type CopyState, type Supervised, supervise } from './supervised.ts'

export interface WorkloadsOptions {
  readonly definitions: readonly WorkloadDefinition[]
  readonly registrar: Registrar
  readonly ledger: WorkloadLedger
  readonly mint: Mint
  /** `PORTOLAN_URL` of the programs. */
  readonly url: string
  /** The data directory; output goes to `logs/` in it. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  /** Why a registered instance has no traffic yet; undefined = it has. Default: registered is enough. */
  readonly obstacle?: (name: InstanceName) => string | undefined
  /** The supervisor's own environment. Default `process.env`; programs get little of it. */
  readonly env?: NodeJS.ProcessEnv
  /** Default `defaultTiming`; a definition's own grace times go before. */
  readonly timing?: Partial<Timing>
  /** Size at which an output file is cut. Default 10 MiB. */
  readonly maxLogBytes?: number
}

const lastWaitMs = 2000
const comeUpMs = 30_000
const comeUpPollMs = 25

/** All copies of all workloads. */
export class Supervisor {
  readonly #options: WorkloadsOptions
  readonly #timing: Timing
  /** What is wanted now, by workload key. */
  readonly #definitions = new Map<string, WorkloadDefinition>()
  /** By ledger key, in the order of their making. */
  readonly #copies = new Map<string, Supervised>()
  readonly #make: (copy: Copy) => Supervised
  /** The ending of processes that an earlier supervisor left, by ledger key. */
  readonly #leftovers = new Map<string, Promise<void>>()
  /** Aborted when leftovers are to end without grace. */
  readonly #mercy = new AbortController()
  readonly #abandoned = new AbortController()
  /** What was last asked for as a whole; `setReplicas` goes beyond it. */
  #configured: ReadonlyMap<string, WorkloadDefinition>
  /** What was asked for last: whoever goes over to something older stops on his way. */
  #newest: ReadonlyMap<string, WorkloadDefinition>
  #applying: Promise<void> = Promise.resolve()
  #closing = false

  constructor(options: WorkloadsOptions) {
    const { env = process.env, random, maxLogBytes, metrics } = options
    this.#options = options
    // Each copy listens, and there may be any number of them.
    setMaxListeners(0, this.#abandoned.signal)
    this.#timing = { ...defaultTiming, ...options.timing }
    this.#configured = byKey(options.definitions)
    this.#newest = this.#configured
    const ports = openPortPool(random)
    const counters = openWorkloadCounters(metrics, () => this.states())
    this.#make = copy => {
      const output = openOutputFile(this.#outputPath(copy), maxLogBytes)
      const abandoned = this.#abandoned.signal
      const timing = this.#timingOf(copy)
      return supervise(copy, { ...options, env, ports, counters, output, timing, abandoned })
    }
  }

  async resume(): Promise<void> {
    const records = await this.#options.ledger.load()
    const table = readProcessTable()
    for (const [workload, definition] of this.#configured) {
      this.#definitions.set(workload, definition)
      this.#grow(definition, definition.replicas ?? 1)
    }
    for (const record of records) this.#resumeOne(record, table)
    for (const key of this.#copies.keys()) this.#start(key)
  }

  async setReplicas(workload: string, replicas: number): Promise<void> {
    const definition = this.#definitions.get(workload)
    if (definition === undefined) {
      throw new Fault('service_not_found', `no workload "${workload.slice(0, 128)}" is run here`, {
        source: 'caller',
        hint: `those that are: ${[...this.#definitions.keys()].join(', ') || 'none'}`,
      })
    }
    if (this.#closing) return
    const resized = { ...definition, replicas }
    checkDefinition(resized)
    this.#definitions.set(workload, resized)
    for (const key of this.#grow(resized, replicas)) this.#start(key)
    const surplus = this.#surplus(resized, replicas)
    await Promise.all(surplus.map(copy => copy.stop()))
    for (const copy of surplus) this.#forgetStopped(copy)
  }

  async apply(definitions: readonly WorkloadDefinition[]): Promise<void> {
    const after = byKey(definitions)
    this.#newest = after
    const applied = this.#applying.then(() => this.#goOver(after))
    this.#applying = applied.catch(() => {})
    await applied
  }

  async #goOver(after: ReadonlyMap<string, WorkloadDefinition>): Promise<void> {
    const before = this.#configured
    if (this.#closing || after !== this.#newest) return
    this.#configured = after
    const gone = [...before.keys()].filter(workload => !after.has(workload))
    const changes = [...after].map(([workload, now]) => this.#change(workload, before.get(workload), now))
    await Promise.all([...gone.map(workload => this.#retire(workload)), ...changes])
  }

  states(): readonly CopyState[] {
    return [...this.#copies.values()].map(copy => copy.state())
  }

  async close(now: boolean): Promise<void> {
    this.#closing = true
    if (now) this.#mercy.abort()
    const copies = [...this.#copies.values()]
    const graces = copies.map(({ copy }) => this.#timingOf(copy))
    const longest = Math.max(
      0,
      ...graces.map(({ drainGraceMs, stopGraceMs }) => drainGraceMs + 2 * stopGraceMs),
    )
    const ended = Promise.all([...copies.map(copy => copy.stop(now)), ...this.#leftovers.values()])
    const inTime = await within(ended, (now ? 0 : longest) + lastWaitMs)
    if (!inTime) {
      this.#abandoned.abort()
      this.#options.log.error('some programs did not end, not even by SIGKILL')
    }
  }

  async #retire(workload: string): Promise<void> {
    await this.setReplicas(workload, 0)
    if (!this.#configured.has(workload)) this.#definitions.delete(workload)
  }

  /** A number of copies that was set meanwhile stands, unless the definition's own has changed. */
  async #change(
    workload: string,
    before: WorkloadDefinition | undefined,
    now: WorkloadDefinition,
  ): Promise<void> {
    const current = this.#definitions.get(workload)
    const asked = now.replicas ?? 1
    const replicas =
      current === undefined || asked !== (before?.replicas ?? 1) ? asked : (current.replicas ?? 1)
    this.#definitions.set(workload, now)
    await this.setReplicas(workload, fixedPort(now) === undefined ? replicas : asked)
    await this.#replace(now)
  }

  /**
   * Goes over to another definition without less capacity than before at any moment: a spare copy with the next free
   * id comes first, then one copy after the other is drained, ended and started anew under its own id, then the spare
   * goes. What does not come up as a spare has cost nothing.
   */
  async #replace(definition: WorkloadDefinition): Promise<void> {
    const outdated = [...this.#copies].filter(([, { copy }]) => {
      const isOfIt = workloadKey(copy.definition) === workloadKey(definition)
      return isOfIt && !isSameProgram(copy.definition, definition)
    })
    if (outdated.length === 0 || this.#isOvertaken) return
    const isSpared = definition.service !== undefined && fixedPort(definition) === undefined
    try {
      if (isSpared) await this.#comeUp(this.#startSpare(definition))
      await this.#replaceInTurn(definition, outdated)
    } finally {
      const { replicas = 1 } = this.#definitions.get(workloadKey(definition)) ?? definition
      if (isSpared) await this.setReplicas(workloadKey(definition), replicas)
    }
  }

  get #isOvertaken(): boolean {
    return this.#closing || this.#configured !== this.#newest
  }

  #startSpare(definition: WorkloadDefinition): Supervised {
    let ordinal = 1
    while (this.#copies.has(copyKey(definition, copyId(definition, ordinal)))) ordinal++
    const spare = this.#make({ definition, id: copyId(definition, ordinal) })
    const key = copyKey(definition, spare.copy.id)
    this.#copies.set(key, spare)
    this.#start(key)
    return spare
  }

  async #replaceInTurn(
    definition: WorkloadDefinition,
    outdated: readonly (readonly [string, Supervised])[],
  ): Promise<void> {
    for (const [key, old] of outdated) {
      if (this.#isOvertaken || this.#copies.get(key) !== old) continue
      await old.stop()
      if (this.#closing || this.#copies.get(key) !== old) continue
      const copy = this.#make({ definition, id: old.copy.id })
      this.#copies.set(key, copy)
      this.#start(key)
      await this.#comeUp(copy)
    }
  }

  /**
   * Resolves when it is registered and has traffic.
   * @throws Fault `workload_failed` when it ends or takes too long instead
   */
  async #comeUp({ state, copy: { id, definition } }: Supervised): Promise<void> {
    const { clock } = this.#options
    const deadline = clock.now() + comeUpMs
    for (;;) {
      const { phase, lastExit } = state()
      if (phase === 'stopped' || this.#isOvertaken) return
      const obstacle = phase === 'running' ? this.#obstacleOf(definition, id) : 'its port does not answer'
      if (obstacle === undefined) return
      if (phase === 'backoff' || clock.now() > deadline) {
        const reason = phase === 'running' ? obstacle : (lastExit?.error ?? lastExit?.tail ?? obstacle)
        throw new Fault('workload_failed', `${id} does not come up as it is defined now: ${reason}`, {
          source: 'caller',
          hint: 'the copies after it still run as they were defined before; correct the definition and reload',
        })
      }
      await setTimeout(comeUpPollMs)
    }
  }

  #obstacleOf({ service }: WorkloadDefinition, id: string): string | undefined {
    return service && this.#options.obstacle?.(instanceName(service, id))
  }

  /** Starts a copy, unless processes that an earlier supervisor left under its id have to end first. */
  #start(key: string): void {
    if (!this.#closing && !this.#leftovers.has(key)) this.#copies.get(key)?.start()
  }

  #resumeOne(record: WorkloadRecord, table: ProcessTable): void {
    const copy = this.#copies.get(record.key)
    const wanted = copy && fingerprint(copy.copy.definition, this.#options.url)
    const verdict = judge(record, wanted, table)
    if (verdict.kind === 'adopt' && copy !== undefined) {
      copy.adopt(record, verdict.process)
      return
    }
    const ending = this.#clearUp(record, verdict.kind === 'gone' ? undefined : verdict.process)
    this.#leftovers.set(record.key, ending)
    void ending.then(() => {
      this.#leftovers.delete(record.key)
      this.#start(record.key)
    })
  }

  async #clearUp({ key }: WorkloadRecord, found: FoundProcess | undefined): Promise<void> {
    const { log, ledger, registrar } = this.#options
    try {
      const name = nameOf(key)
      if (name !== undefined) await registrar.departed(name)
      if (found !== undefined) {
        log.info({ workload: key, pid: found.pid }, 'ending a program that is not wanted any more')
        const program = adoptProgram(found.pid, found.startTicks)
        await clearGroup(program, this.#timing.stopGraceMs, this.#mercy.signal)
        program.release()
      }
      await ledger.forget(key)
    } catch (thrown) {
      log.error({ workload: key, error: toFault(thrown).message }, 'could not clear up after an earlier run')
    }
  }

  /** Makes the copies that are missing up to `replicas`. @returns the keys of those up to there */
  #grow(definition: WorkloadDefinition, replicas: number): string[] {
    return Array.from({ length: replicas }, (_, index) => {
      const id = copyId(definition, index + 1)
      const key = copyKey(definition, id)
      if (!this.#copies.has(key)) this.#copies.set(key, this.#make({ definition, id }))
      return key
    })
  }

  #forgetStopped({ copy, state }: Supervised): void {
    // Not when it was wanted again meanwhile.
    if (state().phase === 'stopped') this.#copies.delete(copyKey(copy.definition, copy.id))
  }

  #surplus(definition: WorkloadDefinition, replicas: number): Supervised[] {
    const kept = new Set(Array.from({ length: replicas }, (_, index) => copyId(definition, index + 1)))
    const all = [...this.#copies.values()].filter(
      ({ copy }) => workloadKey(copy.definition) === workloadKey(definition),
    )
    return all.filter(({ copy }) => !kept.has(copy.id)).reverse()
  }

  #timingOf({ definition }: Copy): Timing {
    const { drainGraceMs = this.#timing.drainGraceMs, stopGraceMs = this.#timing.stopGraceMs } = definition
    return { ...this.#timing, drainGraceMs, stopGraceMs }
  }

  #outputPath({ definition, id }: Copy): string {
    const namespace = definition.service?.namespace ?? defaultNamespace
    const folder = namespace === defaultNamespace ? [] : [namespace]
    return join(this.#options.directory, 'logs', ...folder, `${id}.log`)
  }
}

/** @throws Fault `config_invalid` */
function byKey(definitions: readonly WorkloadDefinition[]): ReadonlyMap<string, WorkloadDefinition> {
  const found = new Map<string, WorkloadDefinition>()
  for (const definition of definitions) {
    checkDefinition(definition)
    const key = workloadKey(definition)
    if (found.has(key)) {
      throw new Fault('config_invalid', `there are two workloads "${key}"`, {
        source: 'caller',
        hint: 'give one of them another name',
      })
    }
    found.set(key, definition)
  }
  return found
}

/** Whether a running copy of one is as good as one of the other. */
function isSameProgram(a: WorkloadDefinition, b: WorkloadDefinition): boolean {
  const essence = ({ replicas: _, secrets: __, ...rest }: WorkloadDefinition) => rest
  return isDeepStrictEqual(essence(a), essence(b))
}

/** The instance that a ledger key stands for; none for a program of Portolan's own. */
function nameOf(key: string): InstanceName | undefined {
  const [namespace = '', service = '', id] = key.split('/')
  return id === undefined ? undefined : instanceName({ namespace, service }, id)
}

function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = globalThis.setTimeout(() => resolve(false), ms)
    work.then(() => resolve(true), reject).finally(() => clearTimeout(timer))
  })
}
