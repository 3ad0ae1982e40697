import { Fault, type InstanceName, metricName, suggestion } from '@portolan/core'
import { z } from 'zod'
import type { StatusReport } from '../health/health.ts'
import { registrationFields } from '../registry/registration.ts'
import { check } from './body/check.ts'
import type { ApiContext } from './context.ts'

const maxMetrics = 64

/** What an instance says of itself, the same over session and HTTP. */
export const statusShape = {
  check: z.string().min(1).max(64).optional().describe('Its `ttl` check of this id. Default: its only one.'),
  status: z.enum(['passing', 'warning', 'critical'], { error: 'one of passing, warning and critical' }),
  output: z
    .string()
    .max(4096, 'at most 4096 characters')
    .optional()
    .describe('For people: what is the matter.'),
  metrics: z
    .record(z.string(), z.number('not a number'))
    .refine(
      metrics => Object.keys(metrics).every(name => metricName.test(name)),
      'the name of a metric is 1 to 64 letters, digits, ".", "_", ":", "/" and "-"',
    )
    .refine(metrics => Object.keys(metrics).length <= maxMetrics, `at most ${maxMetrics} metrics`)
    .optional()
    .describe('Numbers that `degraded` of the check may look at.'),
}

/** The body of a heartbeat that says more than that there is one. */
export const heartbeatReport = z.strictObject({
  ...statusShape,
  status: statusShape.status.default('passing').describe('Default `passing`.'),
})

/** What may stand in the body of a heartbeat: a report, or a registration. */
const heartbeatFields: ReadonlySet<string> = new Set([...Object.keys(statusShape), ...registrationFields])

/**
 * Reads the body of a heartbeat: undefined = there is nothing in it but perhaps a registration. One field of a report
 * makes it a report, and then it must be nothing else. What is neither is refused: somebody who misspells that he is
 * dying must not be taken to be well.
 * @throws Fault `invalid_request`
 */
export function readHeartbeat(body: unknown): StatusReport | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw new Fault('invalid_request', 'the heartbeat: must be an object', {
      source: 'caller',
      hint: 'send a report, a registration, or nothing',
    })
  }
  for (const field of Object.keys(body)) if (!heartbeatFields.has(field)) throw unknownField(field)
  if (!Object.keys(statusShape).some(field => Object.hasOwn(body, field))) return undefined
  return reportOf(check(heartbeatReport, body, 'the heartbeat'))
}

function unknownField(field: string): Fault {
  const problem = `the heartbeat: ${field.slice(0, 80)} is a field of no report and of no registration`
  return new Fault('invalid_request', problem, { source: 'caller', hint: suggestion(field, heartbeatFields) })
}

/** Without what was left out: absent, not undefined. */
export function reportOf({ check, status, output, metrics }: z.output<typeof heartbeatReport>): StatusReport {
  return {
    status,
    ...(check !== undefined && { check }),
    ...(output !== undefined && { output }),
    ...(metrics !== undefined && { metrics }),
  }
}

/** @throws Fault `instance_not_found`, `stale_incarnation`, `invalid_request` (no such `ttl` check) */
export function takeStatus(
  { health }: ApiContext,
  name: InstanceName,
  incarnation: number | undefined,
  report: StatusReport,
): void {
  if (health === undefined) {
    const details = { source: 'caller', hint: 'nobody tests instances here' } as const
    throw new Fault('invalid_request', `${name.service}/${name.id} has no check of type ttl`, details)
  }
  health.status(name, incarnation, report)
}
