import { readFileSync } from 'node:fs'
import { type Bench, round } from '../row.ts'
import { openRegistry } from './ours.ts'
import { openRegistrants } from './sessions.ts'

const instances = 100_000

/** Resident memory of a registry that holds 100,000 instances in 1,000 services over 64 sessions, in MB. */
export const memoryServerRow: Bench = async say => {
  await using registry = await openRegistry()
  say(`registering ${instances} instances`)
  const registrants = await openRegistrants(registry.url)
  const perSecond = await registrants.register(instances)
  const response = await fetch(`${registry.url}/api/v1/services`)
  const { services } = (await response.json()) as { services: readonly { instances: number }[] }
  const held = services.reduce((sum, service) => sum + service.instances, 0)
  if (held !== instances) throw new Error(`the registry holds ${held} instances`)
  const status = readFileSync(`/proc/${registry.pid}/status`, 'utf8')
  const megabytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  registrants.close()
  return {
    row: 'memory.server',
    value: round(megabytes('VmRSS'), 0),
    unit: 'MB',
    better: 'lower',
    detail: {
      atMost: 600,
      aim: 300,
      instances,
      registrationsPerSecond: round(perSecond, 0),
      anonymousMB: round(megabytes('RssAnon'), 0),
      // What lmdb maps counts as resident although the kernel may take it back at any time.
      mappedFilesMB: round(megabytes('RssFile'), 0),
      peakMB: round(megabytes('VmHWM'), 0),
    },
  }
}
