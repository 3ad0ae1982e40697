import type { StatusReport } from '@portolan/client'
import { Fault, type ScriptCheck } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Finding, Probe, ProbeTarget } from '../health/probes/probe.ts'
import { registrationOf } from './definition.ts'
import { type ProgramCheck, registeredChecks, startProgramChecks } from './program-checks.ts'

const registration = registrationOf({ service: 'order' }, 'order-1', {
  address: '127.0.0.1',
  port: 80,
  pid: 9,
})
const check: ProgramCheck = { id: 'check', command: ['/check'], intervalMs: 1000, timeoutMs: 400 }
const passing: Finding = { status: 'passing', presence: 'silent', reason: '', latencyMs: 1 }
const critical: Finding = {
  ...passing,
  status: 'critical',
  reason: '/check ended with status 2',
  output: 'no',
}

/** A probe that finds what it is told to, and nothing where that is nothing. */
function fakeProbe(answers: (Finding | undefined)[]) {
  const started: ProbeTarget<ScriptCheck>[] = []
  let cancelled = 0
  let closed = false
  const probe: Probe<ScriptCheck> = {
    start(target, settle) {
      started.push(target)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      const timer = setTimeout(() => answer !== undefined && settle(answer), 10)
      return {
        overdue: after => `still running after ${after}; its last line: counting`,
        cancel() {
          clearTimeout(timer)
          cancelled++
        },
      }
    },
    async close() {
      closed = true
    },
  }
  return { probe, started, cancelled: () => cancelled, closed: () => closed }
}

function start(answers: (Finding | undefined)[], refusal?: Fault) {
  const fake = fakeProbe(answers)
  const reports: StatusReport[] = []
  const refusals: unknown[] = []
  const running = startProgramChecks({
    checks: [check],
    probe: fake.probe,
    registration,
    async report(report) {
      if (refusal !== undefined) throw refusal
      reports.push(report)
    },
    refused: thrown => refusals.push(thrown),
  })
  return { ...fake, ...running, reports, refusals }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a program that says how another one is', () => {
  it('is run at once, then once an interval, and each result is reported', async () => {
    const { reports, started, close } = start([passing, { ...passing, output: 'x', metrics: { queue: 1 } }])
    await vi.advanceTimersByTimeAsync(20)
    expect(reports).toEqual([{ check: 'check', status: 'passing' }])
    expect(started[0]).toMatchObject({ instance: { id: 'order-1', addresses: ['127.0.0.1'] }, check })
    await vi.advanceTimersByTimeAsync(1000)
    expect(reports[1]).toEqual({ check: 'check', status: 'passing', output: 'x', metrics: { queue: 1 } })
    expect(started).toHaveLength(2)
    await close()
    await vi.advanceTimersByTimeAsync(5000)
    expect(started).toHaveLength(2)
  })

  it('is asked twice before its failure counts, and once while it does', async () => {
    const { reports, started } = start([critical, passing, critical, critical, critical, passing, passing])
    await vi.advanceTimersByTimeAsync(25)
    expect(reports.map(({ status }) => status)).toEqual(['passing'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(reports[1]).toEqual({
      check: 'check',
      status: 'critical',
      output: '/check ended with status 2\nno',
    })
    expect(started).toHaveLength(4)
    await vi.advanceTimersByTimeAsync(2000)
    expect(reports.map(({ status }) => status)).toEqual(['passing', 'critical', 'critical', 'passing'])
    expect(started).toHaveLength(6)
  })

  it('is ended when its time is out, with all that it says until then', async () => {
    const { reports, cancelled, started } = start([undefined])
    await vi.advanceTimersByTimeAsync(820)
    expect(reports).toEqual([
      { check: 'check', status: 'critical', output: 'still running after 400ms; its last line: counting' },
    ])
    expect([started.length, cancelled()]).toEqual([2, 2])
  })

  it('is taken for as it was when it could not be run', async () => {
    const { reports } = start([passing, { ...critical, inconclusive: true }])
    await vi.advanceTimersByTimeAsync(1500)
    expect(reports.map(({ status }) => status)).toEqual(['passing', 'passing'])
  })

  it('goes on when the registry refuses a report, and says why', async () => {
    const refusal = new Fault('stale_incarnation', 'run 1 is over', { source: 'caller' })
    const { refusals, close, closed, cancelled } = start([passing, passing, undefined], refusal)
    await vi.advanceTimersByTimeAsync(2100)
    expect(refusals).toEqual([refusal, refusal])
    await close()
    expect([closed(), cancelled()]).toEqual([true, 1])
  })

  it('comes with a ttl check that holds for two runs, beside what the instance would be tested by anyway', () => {
    expect(registeredChecks([check], registration)).toEqual([
      { type: 'tcp' },
      { type: 'ttl', id: 'check', interval: '2800ms' },
    ])
    const udp = registration.ports.map(port => ({ ...port, protocol: 'udp' as const }))
    expect(registeredChecks([check], { ports: udp })).toEqual([
      { type: 'ttl', id: 'check', interval: '2800ms' },
    ])
  })
})
