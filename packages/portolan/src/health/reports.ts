import { Fault, type InstanceName, type Milliseconds, type OutcomeReport } from '@portolan/core'
import type { Examiner } from './examiner.ts'
import type { FairTime } from './fair-time.ts'
import type { StatusReport } from './health.ts'
import type { Finding } from './probes/probe.ts'
import type { Roll } from './roll.ts'
import type { Run, Subject } from './subject.ts'

export interface ReportParts {
  readonly roll: Roll
  readonly examiner: Examiner
  readonly time: FairTime
  readonly limit: DoubtLimit
  readonly note: (subject: Subject, by: string, what: string) => void
}

/** A thousand consumers that see the same failure, and one that makes up a thousand, cost one round of re-checks in so long. */
const doubtEveryMs: Milliseconds = 1000

/** What consumers say may start so many suspicions a second, so that nobody can have us flood a network. */
const doubtsPerSecond = 500

/** Counts the suspicions that follow from reports. */
export class DoubtLimit {
  #second = -1
  #count = 0

  allows(now: Milliseconds): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) this.#count = 0
    this.#second = second
    return ++this.#count <= doubtsPerSecond
  }
}

/** What consumers' requests found: signs of life, and doubts that are looked into now. Answers how many failed. */
export function follow(parts: ReportParts, reporter: string, { outcomes }: OutcomeReport): number {
  const { roll, examiner, time, limit, note } = parts
  const { now } = time
  let failures = 0
  for (const { id, incarnation, ok, failed, reason } of outcomes) {
    failures += failed
    const subject = roll.subjects.get(id)
    if (subject === undefined || subject.instance.incarnation !== incarnation) continue
    if (ok > 0) subject.heardAt = now
    if (failed === 0) continue
    // What failed for one is no sign of life for another.
    subject.heardAt = -1
    if (subject.doubtedAt >= 0 && now - subject.doubtedAt < doubtEveryMs) continue
    // It is probed in its turn all the same, which nothing stretches now.
    if (!limit.allows(now)) continue
    subject.doubtedAt = now
    const why = `${failed} of ${failed + ok} requests failed${reason === undefined ? '' : `: ${reason}`}`
    note(subject, reporter, why.slice(0, 256))
    for (const run of subject.runs) examiner.doubt(run, `requests fail, as ${reporter} says`)
  }
  return failures
}

/** What a heartbeat without a word means. */
export const heartbeat: Finding = { status: 'passing', presence: 'spoke', reason: '', latencyMs: 0 }

const outputLimit = 4096
const reasonLimit = 256

/**
 * What an instance says of itself, as a finding of its `ttl` check.
 * @throws Fault `instance_not_found`, `stale_incarnation`, `invalid_request`
 */
export function statusOf(
  subject: Subject | undefined,
  name: InstanceName,
  incarnation: number | undefined,
  { check: id, status, output, metrics }: StatusReport,
): { readonly run: Run; readonly finding: Finding } {
  if (subject === undefined) {
    throw new Fault('instance_not_found', `${name.service} has no instance ${name.id}`, { source: 'caller' })
  }
  if (incarnation !== undefined && incarnation !== subject.instance.incarnation) {
    throw new Fault('stale_incarnation', `run ${incarnation} of ${name.id} is over`, {
      source: 'caller',
      hint: 'register again',
    })
  }
  const listening = subject.runs.filter(({ check }) => check.type === 'ttl')
  const run = listening.find(({ check }) => check.id === id || (id === undefined && listening.length === 1))
  if (run === undefined) throw noSuchCheck(name, id, listening)
  const [line = ''] = (output ?? '').split('\n')
  const reason = status === 'passing' ? '' : line.slice(0, reasonLimit) || `it reports ${status}`
  const finding = {
    status,
    presence: 'spoke' as const,
    reason,
    latencyMs: 0,
    ...(output === undefined ? {} : { output: output.slice(0, outputLimit) }),
    ...(metrics === undefined ? {} : { metrics }),
  }
  return { run, finding }
}

function noSuchCheck({ id }: InstanceName, check: string | undefined, listening: readonly Run[]): Fault {
  const names = listening.map(run => run.check.id).join(', ')
  const problem =
    check === undefined ? `${id} has ${listening.length} ttl checks` : `${id} has no ttl check ${check}`
  return new Fault('invalid_request', problem, {
    source: 'caller',
    hint: names === '' ? 'register with a check of type ttl' : `name one of them: ${names}`,
  })
}
