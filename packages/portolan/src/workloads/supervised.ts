import { setTimeout } from 'node:timers/promises'
import { type Clock, type Random, toFault } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import type { FoundProcess } from './adoption.ts'
import { copyKey, instanceName, registrationOf, workloadKey } from './definition.ts'
import { type Copy, type Kept, type LaunchTools, launch } from './launch.ts'
import type { WorkloadRecord } from './ledger.ts'
import {
  type Effect,
  type MachineEvent,
  type MachineState,
  type Phase,
  step,
  stopped,
  type Timing,
} from './machine.ts'
import type { WorkloadCounters } from './metrics.ts'
import type { OutputFile } from './output.ts'
import { portOpen } from './port-open.ts'
import { adoptProgram, clearGroup, type Exit, type ProgramProcess } from './process.ts'
import type { Registrar } from './registrar.ts'

/** How the last process of a copy ended, or why there was none. */
export interface LastExit extends Exit {
  /** Why it could not be started or registered, where that is the matter. */
  readonly error?: string
  /** The last lines of its output. */
  readonly tail: string
  /** It was told to end. */
  readonly asked: boolean
}

/** One copy as people see it. */
export interface CopyState {
  /** The service's key, or the program's name. */
  readonly workload: string
  readonly id: string
  readonly phase: Phase
  readonly pid?: number
  readonly port?: number
  /** Processes that were started for it since the supervisor is there. */
  readonly starts: number
  /** Failures in a row; the next start waits the longer the more there are. */
  readonly failures: number
  /** Until the next start, while it backs off. */
  readonly nextStartInMs?: number
  readonly lastExit?: LastExit
  /** Where its output goes. */
  readonly log: string
}

export interface SupervisedOptions extends LaunchTools {
  readonly registrar: Registrar
  readonly output: OutputFile
  readonly timing: Timing
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly counters: WorkloadCounters
  /** Aborts when the supervisor gives up on what does not end: nothing is followed any more. */
  readonly abandoned: AbortSignal
}

/** Keeps one copy running: carries out what the machine wants and tells it what happens. */
export interface Supervised {
  readonly copy: Copy
  start(): void
  /** Resolves when it has ended. `now`: without drain and without grace. */
  stop(now?: boolean): Promise<void>
  /** Takes over the running process of a record. Before `start`. */
  adopt(record: WorkloadRecord, process: FoundProcess): void
  state(): CopyState
}

export function supervise(copy: Copy, options: SupervisedOptions): Supervised {
  const shell = new Shell(copy, options)
  return {
    copy,
    start: () => shell.happened('start'),
    stop: now => shell.stop(now === true),
    adopt: (record, process) => shell.adopt(record, process),
    state: () => shell.describe(),
  }
}

const departTries = 5
const boundOutputMs = 250

class Shell {
  readonly #copy: Copy
  readonly #options: SupervisedOptions
  #machine: MachineState
  #kept: Kept = { port: undefined, token: undefined }
  #process: ProgramProcess | undefined
  #address: string | undefined
  #starts = 0
  #lastExit: LastExit | undefined
  /** Why the registry does not take the process that is open. */
  #refusal: string | undefined
  #timer: NodeJS.Timeout | undefined
  #bounding: NodeJS.Timeout | undefined
  /** Aborted when the process has ended: ends the waiting for its port. */
  #alive = new AbortController()
  /** Aborted when the process group is to end without grace. */
  #mercy = new AbortController()
  /** Registrations and departures, one after the other. */
  #spoken: Promise<void> = Promise.resolve()
  #written: Promise<void> = Promise.resolve()
  #waiting: (() => void)[] = []

  constructor(copy: Copy, options: SupervisedOptions) {
    this.#copy = copy
    this.#options = options
    this.#machine = stopped(options.clock.now())
    options.abandoned.addEventListener('abort', () => this.#abandon())
  }

  happened(event: MachineEvent): void {
    const { clock, random, timing } = this.#options
    const before = this.#machine.phase
    const { state, effects } = step(this.#machine, event, { now: clock.now(), random, timing })
    this.#machine = state
    this.#arm()
    for (const effect of effects) this.#carryOut(effect)
    if (state.phase === 'stopped' && before !== 'stopped') this.#ended()
    // Ended as it was told to, or wanted again meanwhile.
    if (state.phase === 'stopped' || (state.wanted && !state.asked)) this.#answerStops()
  }

  stop(now: boolean): Promise<void> {
    const ended = new Promise<void>(resolve => this.#waiting.push(resolve))
    this.happened(now ? 'kill' : 'stop')
    return ended
  }

  adopt(record: WorkloadRecord, found: FoundProcess): void {
    // Its token is in its environment and stays good: what is stored is the hash, until a new one is minted.
    this.#kept = { port: record.port, token: undefined }
    if (record.port !== undefined) this.#options.ports.hold(record.port)
    this.#options.log.info({ instance: this.#copy.id, pid: found.pid }, 'adopted a running program')
    this.#follow(adoptProgram(found.pid, found.startTicks), 'adopted')
  }

  #abandon(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#bounding)
    this.#alive.abort()
    this.#mercy.abort()
    this.#process?.release()
  }

  describe(): CopyState {
    const { phase, failures, deadline } = this.#machine
    const pid = this.#process?.pid
    const { port } = this.#kept
    return {
      workload: workloadKey(this.#copy.definition),
      id: this.#copy.id,
      phase,
      starts: this.#starts,
      failures,
      log: this.#options.output.path,
      ...(pid !== undefined && { pid }),
      ...(port !== undefined && { port }),
      ...(phase === 'backoff' &&
        deadline !== undefined && { nextStartInMs: Math.max(0, deadline - this.#options.clock.now()) }),
      ...(this.#lastExit !== undefined && { lastExit: this.#lastExit }),
    }
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const { deadline } = this.#machine
    if (deadline === undefined) return
    // A timer may fire a moment before the clock is there: the machine then sets it once more.
    const wait = Math.max(1, Math.ceil(deadline - this.#options.clock.now()))
    this.#timer = globalThis.setTimeout(() => this.happened('tick'), wait)
  }

  #carryOut(effect: Effect): void {
    switch (effect) {
      case 'launch':
        void this.#launch()
        break
      case 'register':
        void this.#register()
        break
      case 'drain':
        void this.#drain()
        break
      case 'terminate':
        this.#process?.signal('SIGTERM')
        break
      case 'kill':
        this.#mercy.abort()
        this.#process?.signal('SIGKILL')
        break
      case 'depart':
        this.#depart()
        break
      case 'clear':
        void this.#clear()
        break
    }
  }

  async #launch(): Promise<void> {
    const { output, ledger, log, counters } = this.#options
    const { id, definition } = this.#copy
    this.#mercy = new AbortController()
    try {
      await this.#written
      const { process, record, port, token } = await launch(this.#copy, this.#kept, output, this.#options)
      const { pid, startTicks } = process
      this.#kept = { port, token }
      this.#starts++
      this.#write(() => ledger.save({ ...record, process: { pid, startTicks } }))
      counters.started(workloadKey(definition))
      log.info({ instance: id, pid, port }, 'program started')
      this.#follow(process, 'launched')
    } catch (thrown) {
      const error = messageOf(thrown)
      log.error({ instance: id, error }, 'program could not be started')
      this.#lastExit = { code: null, signal: null, error, tail: '', asked: false }
      this.happened('launch-failed')
    }
  }

  #follow(process: ProgramProcess, event: 'launched' | 'adopted'): void {
    this.#process = process
    this.#alive = new AbortController()
    this.#bounding = setInterval(() => this.#boundOutput(), boundOutputMs)
    this.happened(event)
    void process.exit.then(exit => this.#exited(exit))
    void this.#awaitPort(this.#alive.signal)
  }

  async #awaitPort(alive: AbortSignal): Promise<void> {
    const { port } = this.#kept
    this.#address = port === undefined ? undefined : await portOpen(port, alive)
    if (!alive.aborted) this.happened('opened')
  }

  #exited(exit: Exit): void {
    const asked = !['starting', 'open', 'running'].includes(this.#machine.phase)
    this.#alive.abort()
    this.#options.counters.exited(workloadKey(this.#copy.definition), asked)
    this.happened('exited')
    this.#write(() => this.#keepExit(exit, asked))
  }

  async #keepExit(exit: Exit, asked: boolean): Promise<void> {
    const { output, log } = this.#options
    const error = this.#refusal
    this.#refusal = undefined
    const tail = await output.tail()
    this.#lastExit = { ...exit, asked, tail, ...(error !== undefined && { error }) }
    const facts = { instance: this.#copy.id, code: exit.code, signal: exit.signal }
    if (asked) log.info(facts, 'program ended')
    else log.warn({ ...facts, log: output.path, tail }, 'program ended by itself')
  }

  async #register(): Promise<void> {
    const { registrar, log } = this.#options
    const { definition, id } = this.#copy
    const { service } = definition
    const process = this.#process
    const [address, port] = [this.#address, this.#kept.port]
    let outcome: MachineEvent = 'registered'
    if (service !== undefined && process !== undefined && address !== undefined && port !== undefined) {
      const registration = registrationOf(service, id, { address, port, pid: process.pid })
      try {
        await this.#speak(() => registrar.register(registration))
        this.#refusal = undefined
      } catch (thrown) {
        this.#refusal = messageOf(thrown)
        log.error({ instance: id, error: this.#refusal }, 'the registry refused the instance')
        outcome = 'register-failed'
      }
    }
    if (this.#process === process) this.happened(outcome)
  }

  async #drain(): Promise<void> {
    const { registrar, timing, log } = this.#options
    const { definition, id } = this.#copy
    const process = this.#process
    if (definition.service !== undefined) {
      try {
        await this.#spoken
        await registrar.drain(instanceName(definition.service, id), timing.drainGraceMs)
      } catch (thrown) {
        log.warn({ instance: id, error: messageOf(thrown) }, 'the instance could not be drained')
      }
    }
    if (this.#process === process) this.happened('drained')
  }

  #depart(): void {
    const { registrar, log } = this.#options
    const { definition, id } = this.#copy
    const { service } = definition
    if (service === undefined) return
    const name = instanceName(service, id)
    const said = this.#speak(() => persistently(() => registrar.departed(name)))
    said.catch(thrown => log.error({ instance: id, error: messageOf(thrown) }, 'could not be deregistered'))
  }

  async #clear(): Promise<void> {
    const process = this.#process
    if (process !== undefined) {
      await clearGroup(process, this.#options.timing.stopGraceMs, this.#mercy.signal)
    }
    clearInterval(this.#bounding)
    this.#write(() => this.#options.output.bound())
    this.#process = undefined
    this.happened('cleared')
  }

  #ended(): void {
    const { ledger, ports } = this.#options
    const { definition, id } = this.#copy
    if (this.#kept.port !== undefined) ports.release(this.#kept.port)
    this.#write(() => ledger.forget(copyKey(definition, id)))
  }

  #answerStops(): void {
    const waiting = this.#waiting.splice(0)
    if (waiting.length === 0) return
    void Promise.all([this.#written, this.#spoken]).then(() => {
      for (const resolve of waiting) resolve()
    })
  }

  #boundOutput(): void {
    const { output, log } = this.#options
    output.bound().catch(thrown => {
      log.warn({ instance: this.#copy.id, error: messageOf(thrown) }, 'an output file could not be cut')
    })
  }

  /** In order: a departure never overtakes the registration before it, nor the other way round. */
  #speak(call: () => Promise<void>): Promise<void> {
    const said = this.#spoken.then(call)
    this.#spoken = said.catch(() => {})
    return said
  }

  #write(call: () => Promise<void>): void {
    this.#written = this.#written.then(call).catch(thrown => {
      this.#options.log.error(
        { instance: this.#copy.id, error: messageOf(thrown) },
        'the supervisor could not record what it did',
      )
    })
  }
}

function messageOf(thrown: unknown): string {
  return toFault(thrown).message
}

async function persistently(call: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await call()
      return
    } catch (thrown) {
      if (!toFault(thrown).retryable || tried >= departTries) throw thrown
      await setTimeout(100 * 2 ** tried)
    }
  }
}
