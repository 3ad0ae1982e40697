import { formatHostPort, type Instance, isHealthy, type ServiceName, serviceKey } from '@portolan/core'
import { paint } from './colour.ts'
import { table } from './table.ts'

/** What comes from elsewhere never steers the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?')
}

/** `127.0.0.1:8080`; further addresses and ports behind it. */
export function formatAddresses(instance: Instance): string {
  const [first, ...others] = instance.ports
  const addresses = instance.addresses.map(address => formatHostPort(address, first?.number ?? 0))
  return printable([...addresses, ...others.map(port => `${port.name}:${port.number}`)].join(' '))
}

/** `healthy`, or why not: `draining, tcp (refused)`; with what lowers its weight: `healthy, degraded by http (slow)`. */
export function formatHealth(instance: Instance, colours: boolean): string {
  const { degraded = [] } = instance
  if (isHealthy(instance)) {
    if (degraded.length === 0) return paint(colours, 'green', 'healthy')
    const reasons = degraded.map(({ owner, reason }) => `degraded by ${owner} (${reason})`)
    return paint(colours, 'yellow', printable(`healthy, ${reasons.join(', ')}`))
  }
  const causes = instance.causes.map(({ kind, reason }) => (reason === '' ? kind : `${kind} (${reason})`))
  return paint(colours, 'red', printable(causes.join(', ')))
}

export function instanceTable(instances: readonly Instance[], colours: boolean): string {
  const withPid = instances.some(({ metadata }) => metadata.pid !== undefined)
  const rows = instances.map(instance => [
    printable(instance.id),
    formatAddresses(instance),
    String(instance.weight),
    printable(instance.zone ?? '-'),
    printable(instance.version ?? '-'),
    printable(instance.owner),
    ...(withPid ? [printable(instance.metadata.pid ?? '-')] : []),
    formatHealth(instance, colours),
  ])
  const pid = withPid ? ['PID'] : []
  return table(['ID', 'ADDRESS', 'WEIGHT', 'ZONE', 'VERSION', 'OWNER', ...pid, 'HEALTH'], rows)
}

export function nothingKnown(service: ServiceName): string {
  return `no instance of ${serviceKey(service)} is registered\n`
}
