import type { CheckOptions, StatusReport } from '@portolan/client'
import { formatDuration, type Instance, type Registration, type ScriptCheck } from '@portolan/core'
import type { Finding, Probe, Running } from '../health/probes/probe.ts'

/** A program that says how another one is, run beside it. */
export interface ProgramCheck {
  /** Of the `ttl` check as which its results are reported. */
  readonly id: string
  /** Program and arguments; no shell reads them. */
  readonly command: readonly [string, ...string[]]
  /** From one run to the next. */
  readonly intervalMs: number
  /** Less than the interval. */
  readonly timeoutMs: number
}

/** What an instance registers with so that these can be reported: what it would be tested by anyway, and a `ttl` each. */
export function registeredChecks(
  checks: readonly ProgramCheck[],
  { ports }: Pick<Registration, 'ports'>,
): readonly CheckOptions[] {
  const connect: readonly CheckOptions[] = ports.some(({ protocol }) => protocol !== 'udp')
    ? [{ type: 'tcp' }]
    : []
  return [
    ...connect,
    ...checks.map(
      ({ id, intervalMs, timeoutMs }): CheckOptions => ({
        type: 'ttl',
        id,
        // Two runs may fail to say anything before silence is a failure, and each may take its time.
        interval: `${2 * intervalMs + 2 * timeoutMs}ms`,
      }),
    ),
  ]
}

export interface ProgramChecksOptions {
  readonly checks: readonly ProgramCheck[]
  readonly probe: Probe<ScriptCheck>
  /** Whom they are about. */
  readonly registration: Registration
  readonly report: (report: StatusReport) => Promise<void>
  /** Told why a report was refused. */
  readonly refused: (thrown: unknown) => void
}

/** Runs all of them, each at its own interval and the first time at once, until it is closed. */
export function startProgramChecks(options: ProgramChecksOptions): { close(): Promise<void> } {
  const instance: Instance = {
    ...options.registration,
    source: 'process',
    owner: '',
    incarnation: 0,
    causes: [],
  }
  const rounds = options.checks.map(check => new Round(check, instance, options))
  for (const round of rounds) round.begin()
  return {
    async close() {
      for (const round of rounds) round.end()
      await options.probe.close()
    },
  }
}

/** One check, run again and again. */
class Round {
  readonly #check: ScriptCheck
  readonly #instance: Instance
  readonly #options: ProgramChecksOptions
  #running: Running | undefined
  #timer: NodeJS.Timeout | undefined
  #begunAt = 0
  #last: StatusReport | undefined
  /** The last run failed, and this one is its second opinion. */
  #isDoubted = false
  #ended = false

  constructor(check: ProgramCheck, instance: Instance, options: ProgramChecksOptions) {
    this.#check = { type: 'script', rise: 1, ...check }
    this.#instance = instance
    this.#options = options
  }

  begin(): void {
    this.#begunAt = performance.now()
    this.#look()
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#running?.cancel()
  }

  #look(): void {
    const target = { instance: this.#instance, check: this.#check, fresh: true }
    this.#running = this.#options.probe.start(target, finding => this.#found(finding))
    this.#expireLater()
  }

  #expireLater(): void {
    // When it was ourselves who were late, its end is here already: it is read before the timer counts.
    this.#timer = setTimeout(() => setImmediate(() => this.#expire()), this.#check.timeoutMs)
  }

  #expire(): void {
    const running = this.#running
    if (running === undefined || this.#ended) return
    if (running.waiting === true) {
      this.#expireLater()
      return
    }
    const { timeoutMs } = this.#check
    const after = formatDuration(timeoutMs)
    const reason = running.overdue?.(after) ?? `${running.waitingFor?.() ?? 'no end'} within ${after}`
    running.cancel()
    this.#found({ status: 'critical', presence: 'silent', reason, latencyMs: timeoutMs })
  }

  #found(finding: Finding): void {
    this.#running = undefined
    clearTimeout(this.#timer)
    if (this.#ended) return
    const isNews = finding.status === 'critical' && this.#last?.status !== 'critical'
    if (isNews && finding.inconclusive !== true && !this.#isDoubted) {
      this.#isDoubted = true
      this.#look()
      return
    }
    this.#isDoubted = false
    // What could not be looked at is as it was.
    const report = finding.inconclusive === true ? this.#last : reportOf(this.#check.id, finding)
    this.#last = report
    if (report !== undefined) this.#options.report(report).catch(this.#options.refused)
    const next = this.#begunAt + this.#check.intervalMs - performance.now()
    this.#timer = setTimeout(() => this.begin(), Math.max(0, next))
  }
}

/** Its reason goes before its output: the first line is what the registry tells. */
function reportOf(check: string, { status, reason, output = '', metrics }: Finding): StatusReport {
  const text = [reason, output].filter(part => part !== '').join('\n')
  return {
    check,
    status,
    ...(text !== '' && { output: text.slice(0, 4096) }),
    ...(metrics !== undefined && { metrics }),
  }
}
