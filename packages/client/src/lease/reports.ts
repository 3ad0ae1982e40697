import { type CheckStatus, Fault, type InstanceName, metricName, toFault } from '@portolan/core'
import type { Link } from '../session/link.ts'

/** How a program says it is. */
export interface StatusReport {
  /** A warning keeps it in the traffic, with a lower weight; critical takes it out. Default passing. */
  readonly status?: CheckStatus
  /** Its `ttl` check of this id. Default: its only one. */
  readonly check?: string
  /** For people: what is the matter. The last 4,096 characters count. */
  readonly output?: string
  /** Numbers by name, at most 64. */
  readonly metrics?: Readonly<Record<string, number>>
}

/** Reports of one registration, on their way over whichever connection there is. */
export interface Reports {
  /** @throws Fault what the registry refuses it for */
  send(report: StatusReport, link: Link | undefined, incarnation: number): Promise<void>
  /** Sends what could not be sent before: of each check the newest. */
  resend(link: Link, incarnation: number): Promise<void>
}

const maxOutput = 4096

export function openReports(name: InstanceName): Reports {
  /** By check; of those that came while no registry answered, only the newest is still true. */
  const unsent = new Map<string, SentReport>()

  const send = async (report: SentReport, link: Link | undefined, incarnation: number) => {
    const key = report.check ?? ''
    if (link === undefined) {
      unsent.set(key, report)
      return
    }
    unsent.delete(key)
    try {
      await link.request({ type: 'status', ...name, incarnation, ...report })
    } catch (thrown) {
      const fault = toFault(thrown)
      if (!fault.retryable) throw fault
      if (!unsent.has(key)) unsent.set(key, report)
    }
  }

  return {
    // Not thrown from here: who reports awaits a promise.
    send: async (report, link, incarnation) => send(checked(report), link, incarnation),
    async resend(link, incarnation) {
      await Promise.all([...unsent.values()].map(report => send(report, link, incarnation)))
    },
  }
}

type SentReport = StatusReport & { readonly status: CheckStatus }

const statuses: readonly CheckStatus[] = ['passing', 'warning', 'critical']

/** @throws Fault `invalid_request` */
function checked(report: StatusReport): SentReport {
  const { output, status = 'passing', metrics = {} } = report
  if (!statuses.includes(status))
    throw wrong(`the status ${JSON.stringify(status)}`, `one of ${statuses.join(', ')}`)
  const misnamed = Object.keys(metrics).find(name => !metricName.test(name))
  if (misnamed !== undefined)
    throw wrong(
      `a metric called ${JSON.stringify(misnamed.slice(0, 80))}`,
      'its name is 1 to 64 letters, digits, ".", "_", ":", "/" and "-"',
    )
  return { ...report, status, ...(output !== undefined && { output: output.slice(-maxOutput) }) }
}

function wrong(what: string, hint: string): Fault {
  return new Fault('invalid_request', `a report with ${what}`, { source: 'caller', hint })
}

/** The lease is over: there is nothing left to speak for. */
export function reportedTooLate({ service, id }: InstanceName): Fault {
  return new Fault('session_closed', `the lease of ${service}/${id} is over`, {
    source: 'caller',
    hint: 'register again',
  })
}
