import { constants, hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type Fault, isLoopback, type Random, type Registration, serviceKey, toFault } from '@portolan/core'
import { scriptProbe } from '../health/probes/script.ts'
import type { Log } from '../observe/log.ts'
import { instanceName, registrationOf, type ServiceTemplate } from './definition.ts'
import { portolanEnvironment } from './environment.ts'
import { backoffMs, defaultTiming } from './machine.ts'
import { portOpen } from './port-open.ts'
import { openPortPool } from './ports.ts'
import { requireLinux } from './proc-table.ts'
import { clearGroup, type Exit, type ProgramProcess, startProgram } from './process.ts'
import { type ProgramCheck, registeredChecks, startProgramChecks } from './program-checks.ts'
import { registryNews } from './registry-news.ts'
import { openSessionRegistrar, type ReportingRegistrar } from './session-registrar.ts'
import { relaySignals, type SignalSource } from './signals.ts'

export interface RunOptions {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[]
  readonly service: ServiceTemplate
  /** Default `SERVICE-HOST-PORT`: the same after a restart with the same port. */
  readonly id?: string
  /** The port to register. Default: the program's own `PORT`, or a free one. */
  readonly port?: number
  /** Default: a session of its own with the registries of `url`. */
  readonly registrar?: ReportingRegistrar
  /** Programs that are run beside it from its registration on, and say how it is. Default none. */
  readonly checks?: readonly ProgramCheck[]
  /** Handed to the program as `PORTOLAN_URL`; several registries as a comma list. */
  readonly url: string
  /** Handed to the program as `PORTOLAN_TOKEN`, so that what it registers has the same owner. */
  readonly token?: string
  /** The environment of whoever runs the program: all of it is passed on. */
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly random: Random
  readonly log: Log
  /** A line for whoever runs the program: the registry went, came back, or refuses. */
  readonly say: (line: string) => void
  /** Default 5,000. */
  readonly drainGraceMs?: number
  /** How long the program may take to end after SIGTERM before SIGKILL. Default 30,000. */
  readonly stopGraceMs?: number
  /** Default: this process. */
  readonly signals?: SignalSource
}

/**
 * Runs one program in the foreground and stands for it in the registry: registered when its port opens, gone the
 * moment it exits, drained before a signal ends it. Nothing that happens to the registry ends the program.
 *
 * The program leads a session of its own with our terminal as its input and output, so that Ctrl-C reaches it
 * through us, after the drain. SIGINT, SIGTERM, SIGHUP and SIGQUIT drain first and are then passed on; a second one
 * is passed on at once.
 * @returns its exit code, or 128 + the number of the signal that ended it
 * @throws Fault `workload_failed` (it cannot be started), `address_in_use`, `config_invalid` (no registry address)
 */
export async function runProgram(options: RunOptions): Promise<number> {
  requireLinux()
  const { url, token, log, say } = options
  const news = registryNews(say)
  const trouble = (fault: Fault): void => {
    log.debug({ code: fault.code, error: fault.message }, 'trouble with the registry')
    news.trouble(fault)
  }
  if (options.registrar !== undefined) return runWith(options.registrar, options, trouble)
  const session = await openSessionRegistrar({
    url,
    onFault: trouble,
    onConnect: () => news.connected(),
    ...(token !== undefined && { token }),
  })
  try {
    return await runWith(session, options, trouble)
  } finally {
    await quietly(session.close(), goodbyeMs)
  }
}

async function runWith(
  registrar: ReportingRegistrar,
  options: RunOptions,
  trouble: (fault: Fault) => void,
): Promise<number> {
  const port = await choosePort(options)
  const id = options.id ?? defaultId(options.service.service, port)
  // Listening comes before the start: a signal that arrives between the two would end us and not the program.
  const starting = startProgram({
    command: options.command,
    cwd: options.cwd,
    stdio: 'inherit',
    env: environmentOf(options, id, port),
  })
  const relay = relaySignals(options.signals ?? process, starting, {
    stopGraceMs: options.stopGraceMs ?? 30_000,
    beforeStop: () => standing.drain(options.drainGraceMs ?? defaultTiming.drainGraceMs),
  })
  const standing = stand({ registrar, id, port, trouble }, options, starting)
  try {
    const program = await starting
    const exit = await program.exit
    await Promise.all([standing.leave(), clearGroup(program, leftoverGraceMs, relay.impatient)])
    return exitCode(exit)
  } finally {
    relay.close()
  }
}

const leftoverGraceMs = 2000
const goodbyeMs = 2000
const refusedTiming = { ...defaultTiming, backoffMinMs: 1000 }

interface Place {
  readonly registrar: ReportingRegistrar
  readonly id: string
  readonly port: number
  /** Told of every refusal that is waited out. */
  readonly trouble: (fault: Fault) => void
}

interface Standing {
  drain(graceMs: number): Promise<void>
  leave(): Promise<void>
}

/** Speaks for the program: says that it is there once its port answers, and again while the registry refuses. */
function stand(place: Place, options: RunOptions, starting: Promise<ProgramProcess>): Standing {
  const { registrar, id, port, trouble } = place
  const { service, log, random, checks } = options
  const name = instanceName(service, id)
  const leaving = new AbortController()
  const gone = new AbortController()
  let told = false
  let stopChecks = async (): Promise<void> => {}
  const check = (registration: Registration): void => {
    const { checks = [], env, cwd } = options
    if (checks.length === 0 || gone.signal.aborted) return
    const probe = scriptProbe({ env, ...(cwd !== undefined && { cwd }) })
    const running = startProgramChecks({
      checks,
      probe,
      registration,
      report: report => registrar.report(name, report),
      refused: thrown => trouble(toFault(thrown)),
    })
    stopChecks = () => running.close()
  }
  const announce = async ({ pid }: ProgramProcess): Promise<void> => {
    const address = await portOpen(port, leaving.signal)
    if (address === undefined) return
    const addresses = service.addresses ?? addressesFor(options.url, address)
    const registration = registrationOf({ ...service, addresses }, id, { address, port, pid })
    for (let refusals = 1; !leaving.signal.aborted; refusals++) {
      told = true
      try {
        await registrar.register(registration, checks && registeredChecks(checks, registration))
        check({ ...registration, addresses: [address] })
        return
      } catch (thrown) {
        // Who leaves before any registry has answered gives up by himself: nobody refused.
        if (leaving.signal.aborted) return
        trouble(toFault(thrown))
        await sleep(backoffMs(refusals, refusedTiming, random), leaving.signal)
      }
    }
  }
  starting
    .then(announce)
    .catch(thrown => log.debug({ error: String(thrown) }, 'the program is not registered'))
  return {
    async drain(graceMs) {
      leaving.abort()
      if (told) await quietly(registrar.drain(name, graceMs), graceMs, gone.signal)
    },
    async leave() {
      leaving.abort()
      gone.abort()
      await Promise.all([
        quietly(stopChecks(), goodbyeMs),
        told && quietly(registrar.departed(name), goodbyeMs),
      ])
    },
  }
}

/**
 * A registry on this machine sees loopback in any case; one elsewhere knows better than we do by which address we
 * can be reached, so it is left to it.
 */
function addressesFor(urls: string, address: string): readonly string[] {
  const local = urls.split(',').every(url => {
    const host = URL.canParse(url.trim()) ? new URL(url.trim()).hostname.replace(/^\[|\]$/g, '') : ''
    return host === 'localhost' || isLoopback(host)
  })
  return local ? [address] : []
}

async function choosePort(options: RunOptions): Promise<number> {
  const given = options.port ?? (options.env.PORT === undefined ? undefined : Number(options.env.PORT))
  const pool = openPortPool(options.random)
  return pool.take(given === undefined ? undefined : { port: given, must: true })
}

function environmentOf(options: RunOptions, id: string, port: number): NodeJS.ProcessEnv {
  const { env, url, token, service } = options
  const added = portolanEnvironment({
    port,
    url,
    service: serviceKey(instanceName(service, id)),
    instance: id,
    ...(token !== undefined && { token }),
  })
  return { ...env, ...added, ...(env.PORT !== undefined && { PORT: env.PORT }) }
}

function defaultId(service: string, port: number): string {
  const host = hostname().replaceAll(/[^A-Za-z0-9._-]/g, '-')
  const place = `${service}-${host}`.slice(0, 120)
  return `${place}-${port}`
}

function exitCode({ code, signal }: Exit): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/** A registry that is away must not hold up the program's end: waits no longer than `ms` or until `enough` aborts. */
async function quietly(call: Promise<void>, ms: number, enough?: AbortSignal): Promise<void> {
  const done = new AbortController()
  const signal = enough === undefined ? done.signal : AbortSignal.any([done.signal, enough])
  await Promise.race([call.catch(() => {}), sleep(ms, signal)])
  done.abort()
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => {})
}
