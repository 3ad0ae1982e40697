import { type Cause, type Degraded, formatDuration, type Instance, serviceKey } from '@portolan/core'
import type { CheckStanding, HealthReport } from '../../health/health.ts'
import { paint } from './colour.ts'
import { formatAddresses, printable } from './instance.ts'
import { table } from './table.ts'

/** What the API answers to `why`. */
export interface Reasons extends HealthReport {
  readonly healthy: boolean
  readonly causes: readonly Cause[]
  readonly degraded: readonly Degraded[]
  readonly instance: Instance
}

/**
 * The answer first, then what it stands on: causes, what lowers the weight, the checks, the history. `failsOpen`: it is
 * picked in spite of its causes, since nobody of its service is better.
 */
export function reasonsText(reasons: Reasons, colours: boolean, failsOpen = false): string {
  const { causes, degraded, checks, history } = reasons
  const parts = [
    headline(reasons, colours, failsOpen),
    causes.length === 0
      ? ''
      : section(
          ['CAUSE', 'OWNER', 'SINCE', 'REASON'],
          causes.map(({ kind, owner, since, reason }) => [kind, owner, since, reason]),
        ),
    degraded.length === 0
      ? ''
      : section(
          ['DEGRADED BY', 'WEIGHT', 'SINCE', 'REASON'],
          degraded.map(({ owner, factor, since, reason }) => [owner, `x ${factor}`, since, reason]),
        ),
    checks.length === 0 ? 'no check tests it\n' : section(checkHead, checks.map(checkRow)),
    ...checks.map(details),
    history.length === 0
      ? ''
      : section(
          ['WHEN', 'BY', 'WHAT'],
          history.map(({ at, by, what }) => [at, by, what]),
        ),
  ]
  return parts.filter(part => part !== '').join('\n')
}

function headline({ healthy, degraded, instance }: Reasons, colours: boolean, failsOpen: boolean): string {
  const name = printable(`${serviceKey(instance)}/${instance.id}`)
  const verdict = healthy
    ? degraded.length === 0
      ? paint(colours, 'green', 'healthy')
      : paint(colours, 'yellow', `healthy, with a lowered weight of ${instance.weight}`)
    : failsOpen
      ? paint(
          colours,
          'red',
          `gets traffic only because all instances of ${printable(serviceKey(instance))} have causes`,
        )
      : paint(colours, 'red', 'gets no traffic')
  return `${name} at ${formatAddresses(instance)}: ${verdict}\n`
}

function section(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    head,
    rows.map(row => row.map(printable)),
  )
}

const checkHead = ['CHECK', 'TYPE', 'LOOKS AT', 'STATE', 'EVERY', 'LATENCY', 'LAST', 'REASON']

/** What is longer would push all else out of the window; `--json` has the whole of it. */
const aimWidth = 60

function checkRow(check: CheckStanding): readonly string[] {
  const { id, type, aim, phase, intervalMs, keptIntervalMs, latencyMs, lastAt, reason } = check
  const every = formatDuration(Math.round(keptIntervalMs))
  return [
    id,
    type,
    aim.length > aimWidth ? `${aim.slice(0, aimWidth - 1)}…` : aim,
    phase,
    keptIntervalMs > intervalMs ? `${every} (asked: ${formatDuration(intervalMs)})` : every,
    latencyMs === undefined ? '-' : `${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)}ms`,
    lastAt ?? '-',
    reason === '' ? '-' : reason,
  ]
}

/** What does not fit into a row: a penalty that holds it back, its metrics, the last lines of its output. */
function details({ id, heldUntil, penalty, metrics, output }: CheckStanding): string {
  const lines = [
    ...(heldUntil === undefined
      ? []
      : [`held back until ${heldUntil}: it changed too often (penalty ${penalty})`]),
    ...Object.entries(metrics ?? {}).map(([name, value]) => `${name} = ${value}`),
    ...(output ?? '').trimEnd().split('\n').slice(-maxLines),
  ].filter(line => line !== '')
  return lines.map(line => `${printable(id)}: ${printable(line)}\n`).join('')
}

const maxLines = 10
