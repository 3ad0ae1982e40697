import type { Milliseconds, Random } from '@portolan/core'

/**
 * The life of one supervised copy, as a pure machine: events in, effects out, no clock and no process of its own.
 *
 *   stopped → launching → starting → open → running → exited → backoff → launching …
 *                             └────────┴───────┴─ stop ─→ draining → terminating → killing → exited → stopped
 *
 * `launching`: the process is being made. `starting`: it runs and its port does not answer yet. `open`: the port
 * answers and the registry is being told. `running`: registered. `exited`: it ended, and what is left of its process
 * group is being ended; nothing is launched before that is done, so two processes never share an id.
 */
export type Phase =
  | 'stopped'
  | 'launching'
  | 'starting'
  | 'open'
  | 'running'
  | 'draining'
  | 'terminating'
  | 'killing'
  | 'exited'
  | 'backoff'

export interface MachineState {
  readonly phase: Phase
  /** Whether it should run: what `start` and `stop` last said. */
  readonly wanted: boolean
  /** Ends in a row that nobody asked for, without a stable time between them. */
  readonly failures: number
  /** Failed registrations in a row of the process that is open. */
  readonly refusals: number
  /** The end under way was asked for: no failure, and no back-off before a next start. */
  readonly asked: boolean
  /** SIGKILL was asked for while the process was still being made. */
  readonly doomed: boolean
  readonly since: Milliseconds
  /** When the machine wants a `tick`, if it does. */
  readonly deadline: Milliseconds | undefined
}

export type MachineEvent =
  | 'start'
  | 'stop'
  /** End it without drain and without grace. */
  | 'kill'
  /** A process that an earlier supervisor left is this copy's. */
  | 'adopted'
  | 'launched'
  /** There is no process: the launch went wrong. */
  | 'launch-failed'
  | 'opened'
  | 'registered'
  | 'register-failed'
  | 'drained'
  | 'exited'
  /** Nothing is left of the process group. */
  | 'cleared'
  /** The deadline may have come. */
  | 'tick'

/** What the shell has to do. `clear` ends what is left of the process group, `depart` tells the registry. */
export type Effect = 'launch' | 'register' | 'drain' | 'terminate' | 'kill' | 'depart' | 'clear'

export interface Timing {
  readonly drainGraceMs: Milliseconds
  readonly stopGraceMs: Milliseconds
  readonly backoffMinMs: Milliseconds
  readonly backoffMaxMs: Milliseconds
  /** A process that ran for so long has no history of failures. */
  readonly stableMs: Milliseconds
}

export const defaultTiming: Timing = {
  drainGraceMs: 5000,
  stopGraceMs: 10_000,
  backoffMinMs: 100,
  backoffMaxMs: 30_000,
  stableMs: 10_000,
}

export interface StepContext {
  readonly now: Milliseconds
  readonly random: Random
  readonly timing: Timing
}

export interface Step {
  readonly state: MachineState
  readonly effects: readonly Effect[]
}

export function stopped(now: Milliseconds): MachineState {
  return {
    phase: 'stopped',
    wanted: false,
    failures: 0,
    refusals: 0,
    asked: false,
    doomed: false,
    since: now,
    deadline: undefined,
  }
}

/** How long to wait before the try after `failures` (≥ 1) failures: doubling, between half of it and all of it. */
export function backoffMs(failures: number, timing: Timing, random: Random): Milliseconds {
  const whole = Math.min(timing.backoffMaxMs, timing.backoffMinMs * 2 ** Math.min(failures - 1, 30))
  return whole * (0.5 + random() / 2)
}

/** One event. An event that means nothing in the present phase changes nothing. */
export function step(state: MachineState, event: MachineEvent, context: StepContext): Step {
  if (event === 'start') return start(state, context)
  if (event === 'stop') return stop({ ...state, wanted: false }, context)
  if (event === 'kill') return kill({ ...state, wanted: false }, context)
  if (event === 'exited') return exited(state, context)
  if (event === 'tick') return tick(state, context)
  return progress(state, event, context)
}

function start(state: MachineState, context: StepContext): Step {
  if (state.phase === 'stopped') return enter({ ...state, wanted: true }, 'launching', context, ['launch'])
  return { state: { ...state, wanted: true, doomed: false }, effects: [] }
}

function stop(state: MachineState, context: StepContext): Step {
  switch (state.phase) {
    case 'backoff':
      return enter(state, 'stopped', context, [])
    case 'starting':
      return terminate(state, context)
    case 'open':
    case 'running':
      return enter({ ...state, asked: true }, 'draining', context, ['drain'], context.timing.drainGraceMs)
    default:
      return { state, effects: [] }
  }
}

function kill(state: MachineState, context: StepContext): Step {
  switch (state.phase) {
    case 'backoff':
      return enter(state, 'stopped', context, [])
    case 'launching':
      return { state: { ...state, doomed: true }, effects: [] }
    case 'starting':
    case 'open':
    case 'running':
    case 'draining':
    case 'terminating':
      return enter({ ...state, asked: true }, 'killing', context, ['kill'])
    // A group that is given its grace time after its leader's end loses it.
    case 'exited':
      return { state: { ...state, asked: true }, effects: ['kill'] }
    default:
      return { state, effects: [] }
  }
}

function exited(state: MachineState, context: StepContext): Step {
  switch (state.phase) {
    case 'starting':
    case 'open':
    case 'running':
      return enter(state, 'exited', context, ['depart', 'clear'])
    case 'draining':
    case 'terminating':
    case 'killing':
      return enter({ ...state, asked: true }, 'exited', context, ['depart', 'clear'])
    default:
      return { state, effects: [] }
  }
}

function tick(state: MachineState, context: StepContext): Step {
  if (state.deadline === undefined || context.now < state.deadline) return { state, effects: [] }
  switch (state.phase) {
    case 'open':
      return { state: { ...state, deadline: undefined }, effects: ['register'] }
    case 'running':
      return { state: { ...state, failures: 0, deadline: undefined }, effects: [] }
    case 'draining':
      return terminate(state, context)
    case 'terminating':
      return enter(state, 'killing', context, ['kill'])
    case 'backoff':
      return enter(state, 'launching', context, ['launch'])
    default:
      return { state: { ...state, deadline: undefined }, effects: [] }
  }
}

function progress(state: MachineState, event: MachineEvent, context: StepContext): Step {
  const at = `${state.phase} ${event}`
  switch (at) {
    case 'stopped adopted':
      return enter({ ...state, wanted: true }, 'starting', context, [])
    case 'launching launched':
      if (state.doomed) return enter({ ...state, asked: true }, 'killing', context, ['kill'])
      if (!state.wanted) return terminate(state, context)
      return enter(state, 'starting', context, [])
    case 'launching launch-failed':
      return again(state, context)
    case 'starting opened':
      return enter({ ...state, refusals: 0 }, 'open', context, ['register'])
    case 'open registered':
      return enter(state, 'running', context, [], context.timing.stableMs)
    case 'open register-failed': {
      const refusals = state.refusals + 1
      const deadline = context.now + backoffMs(refusals, context.timing, context.random)
      return { state: { ...state, refusals, deadline }, effects: [] }
    }
    case 'draining drained':
      return terminate(state, context)
    case 'exited cleared':
      return again(state, context)
    default:
      return { state, effects: [] }
  }
}

function terminate(state: MachineState, context: StepContext): Step {
  return enter({ ...state, asked: true }, 'terminating', context, ['terminate'], context.timing.stopGraceMs)
}

/** The process is no more: what next? */
function again(state: MachineState, context: StepContext): Step {
  const ended = { ...state, asked: false, doomed: false }
  if (!state.wanted) return enter({ ...ended, failures: 0 }, 'stopped', context, [])
  if (state.asked) return enter({ ...ended, failures: 0 }, 'launching', context, ['launch'])
  const failures = state.failures + 1
  const delay = backoffMs(failures, context.timing, context.random)
  return enter({ ...ended, failures }, 'backoff', context, [], delay)
}

function enter(
  state: MachineState,
  phase: Phase,
  context: StepContext,
  effects: readonly Effect[],
  dueInMs?: Milliseconds,
): Step {
  const deadline = dueInMs === undefined ? undefined : context.now + dueInMs
  return { state: { ...state, phase, since: context.now, deadline }, effects }
}
