import { pino } from 'pino'
import type { ProgramCheck } from '../program-checks.ts'
import { runProgram } from '../run.ts'
import { listeningRegistrar } from './quay.ts'

// `portolan run` without a registry, in a process of its own: OPTIONS(JSON) COMMAND… What it would tell a registry
// goes to stderr, one line each; the program has stdout.
interface RunnerOptions {
  readonly port?: number
  readonly id?: string
  readonly drainMs?: number
  readonly drainGraceMs?: number
  readonly stopGraceMs?: number
  /** Refuses so many registrations before it takes one. */
  readonly refusals?: number
  /** Never answers. */
  readonly away?: boolean
  /** Speaks over a session with the registry at this address, instead. */
  readonly session?: string
  readonly checks?: readonly ProgramCheck[]
}

const [given = '{}', ...command] = process.argv.slice(2)
const { drainMs = 0, refusals = 0, away = false, session, ...options } = JSON.parse(given) as RunnerOptions
let refused = 0
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const never = new Promise<void>(() => {})

const registrar = listeningRegistrar({
  async register(registration, checks) {
    if (refused++ < refusals) throw new Error('not now')
    say(`register ${JSON.stringify(registration)}`)
    if (checks !== undefined) say(`checks ${JSON.stringify(checks)}`)
    if (away) await never
  },
  async report({ id }, report) {
    say(`report ${id} ${JSON.stringify(report)}`)
  },
  async departed({ id }) {
    say(`departed ${id}`)
    if (away) await never
  },
  async drain({ id }) {
    say(`drain ${id}`)
    await (away ? never : new Promise(resolve => setTimeout(resolve, drainMs).unref()))
    say('drained')
  },
})

process.exitCode = await runProgram({
  command,
  service: { service: 'order', tags: ['blue'] },
  url: session ?? 'http://127.0.0.1:7400',
  ...(session === undefined && { token: 'ptl_given' }),
  env: process.env,
  random: Math.random,
  log: pino({ level: 'silent' }),
  say: line => say(`portolan: ${line}`),
  ...(session === undefined && { registrar }),
  ...options,
})
