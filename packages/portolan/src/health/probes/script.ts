import { performance } from 'node:perf_hooks'
import type { CheckStatus, ScriptCheck } from '@portolan/core'
import { reasonText } from './findings.ts'
import type { Finding, Probe, ProbeTarget } from './probe.ts'
import { scriptEnvironment } from './script-environment.ts'
import { isShortage, startFailure } from './script-failure.ts'
import { newMarks } from './script-marks.ts'
import { metricsOf, tellingLine } from './script-output.ts'
import { type Places, places } from './script-places.ts'
import { type Run, type RunOutcome, type RunStart, startRun } from './script-run.ts'
import { openStrayHunt } from './script-strays.ts'

export interface ScriptProbeOptions {
  /** The environment of whoever runs the scripts, of which they see very little. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Scripts at a time: a process is dear. Those beyond wait, and their time does not run yet. Default 16. */
  readonly concurrency?: number
  /** The folder that scripts run in. Default `/`. */
  readonly cwd?: string
}

/**
 * Runs a program and goes by how it ends: 0 passing, 1 warning, any other status or a signal critical. No process of
 * it is left, whatever comes of it: its group ends with it, and what has left the group is found by the mark in its
 * environment after a time-out, where it holds the output open, and at `close`. docs/health.md says what scripts see.
 */
export function scriptProbe({ env, concurrency = 16, cwd = '/' }: ScriptProbeOptions): Probe<ScriptCheck> {
  const marks = newMarks()
  const strays = openStrayHunt(marks)
  const room = places(concurrency)
  const open = new Set<Attempt>()
  let attempts = 0
  let closing: Promise<void> | undefined

  const close = async (): Promise<void> => {
    for (const attempt of [...open]) attempt.cancel()
    await room.empty(closeMs)
    if (attempts > 0) await strays.finish()
  }

  return {
    start({ instance, check }: ProbeTarget<ScriptCheck>, settle) {
      if (attempts === 0) void strays.endOrphans()
      const mark = `${marks}${++attempts}`
      const start = { command: check.command, env: scriptEnvironment(env, instance, check, mark), cwd }
      const attempt: Attempt = new Attempt(start, room, {
        settle(finding) {
          open.delete(attempt)
          settle(finding)
        },
        strayed: () => strays.hunt(mark),
      })
      if (closing === undefined) {
        open.add(attempt)
        attempt.enter()
      }
      return {
        get waiting() {
          return attempt.waiting
        },
        overdue: after => attempt.overdue(after),
        cancel() {
          open.delete(attempt)
          attempt.cancel()
        },
      }
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

const shortageTries = 3
const shortagePauseMs = 50
/** How long programs that were killed may take to be gone: longer is the kernel's affair. */
const closeMs = 2000

interface AttemptEvents {
  settle(finding: Finding): void
  /** Processes may have left the group. */
  strayed(): void
}

/** One look by one program: waits for its place, runs, and is judged once or cancelled. */
class Attempt {
  readonly #start: RunStart
  readonly #room: Places
  readonly #events: AttemptEvents
  #place: ReturnType<Places['enter']> | undefined
  #run: Run | undefined
  #retry: NodeJS.Timeout | undefined
  #tries = 0
  #begun = 0
  #over = false

  constructor(start: RunStart, room: Places, events: AttemptEvents) {
    this.#start = start
    this.#room = room
    this.#events = events
  }

  get waiting(): boolean {
    return this.#place?.waiting === true
  }

  /** How far it has come. */
  overdue(after: string): string {
    if (this.waiting) return `waiting for other scripts to end for ${after}`
    const line = tellingLine(this.#run?.output ?? '')
    const running = `still running after ${after}`
    return line === undefined ? running : `${running}; its last line: ${line.slice(0, maxLine)}`
  }

  enter(): void {
    this.#place = this.#room.enter({
      begin: () => this.#launch(),
      full: reason => this.#settle({ ...critical(reason, 0), inconclusive: true }),
    })
  }

  cancel(): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#retry)
    if (this.#run === undefined) {
      this.#place?.leave()
      return
    }
    this.#run.kill()
    this.#place?.killed()
    this.#events.strayed()
  }

  #launch(): void {
    this.#tries++
    this.#begun = performance.now()
    this.#run = startRun(this.#start, {
      gone: () => this.#place?.leave(),
      over: outcome => (outcome.kind === 'ended' ? this.#ended(outcome) : this.#unstarted(outcome.error)),
    })
  }

  #ended(outcome: RunOutcome & { readonly kind: 'ended' }): void {
    if (outcome.held) this.#events.strayed()
    this.#settle(findingOf(outcome, this.#start.command[0], performance.now() - this.#begun))
  }

  #unstarted(error: NodeJS.ErrnoException): void {
    this.#run = undefined
    if (isShortage(error) && this.#tries < shortageTries) {
      this.#retry = setTimeout(() => this.#launch(), shortagePauseMs * this.#tries)
      return
    }
    this.#place?.leave()
    const reason = startFailure(this.#start.command[0], error)
    const finding = critical(reason, performance.now() - this.#begun)
    // What our own machine lacks says nothing of the instance.
    this.#settle(isShortage(error) ? { ...finding, inconclusive: true } : finding)
  }

  #settle(finding: Finding): void {
    if (this.#over) return
    this.#over = true
    this.#events.settle(finding)
  }
}

const maxLine = 150

function findingOf(
  { code, signal, output }: RunOutcome & { readonly kind: 'ended' },
  file: string,
  latencyMs: number,
): Finding {
  const status: CheckStatus = code === 0 ? 'passing' : code === 1 ? 'warning' : 'critical'
  const metrics = metricsOf(output)
  return {
    status,
    // Whatever it has looked at: that it ended well is no proof that the instance itself is there.
    presence: 'silent',
    reason: status === 'passing' ? '' : reasonOf(file, code, signal, output),
    latencyMs,
    ...(output !== '' && { output }),
    ...(metrics !== undefined && { metrics }),
  }
}

function reasonOf(file: string, code: number | null, signal: NodeJS.Signals | null, output: string): string {
  const shown = file.length > 100 ? `…${file.slice(-99)}` : file
  const end = signal === null ? `ended with status ${code}` : `was ended by ${signal}`
  const line = tellingLine(output)
  return reasonText(line === undefined ? `${shown} ${end}` : `${shown} ${end}: ${line}`)
}

function critical(reason: string, latencyMs: number): Finding {
  return { status: 'critical', presence: 'silent', reason: reasonText(reason), latencyMs }
}
