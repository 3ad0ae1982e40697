import { readFileSync } from 'node:fs'
import { type Bench, round } from '../row.ts'
import { openRegistry } from './ours.ts'
import { openAccepting, openRegistrants } from './sessions.ts'

const instances = 100_000

/** What a registry's process holds after that many registrations. */
async function measure(tested?: Parameters<typeof openRegistrants>[2]) {
  await using registry = await openRegistry()
  const registrants = await openRegistrants(registry.url, 64, tested)
  const perSecond = await registrants.register(instances)
  const response = await fetch(`${registry.url}/api/v1/services`)
  const { services } = (await response.json()) as { services: readonly { instances: number }[] }
  const held = services.reduce((sum, service) => sum + service.instances, 0)
  if (held !== instances) throw new Error(`the registry holds ${held} instances`)
  const status = readFileSync(`/proc/${registry.pid}/status`, 'utf8')
  const megabytes = (name: string): number =>
    round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024, 0)
  registrants.close()
  return {
    registrationsPerSecond: round(perSecond, 0),
    residentMB: megabytes('VmRSS'),
    anonymousMB: megabytes('RssAnon'),
    // What lmdb maps counts as resident although the kernel may take it back at any time.
    mappedFilesMB: megabytes('RssFile'),
    peakMB: megabytes('VmHWM'),
  }
}

/**
 * Resident memory of a registry that holds 100,000 instances in 1,000 services over 64 sessions, in MB. The instances
 * ask for no checks; `detail` also has it with the default ones.
 */
export const memoryServerRow: Bench = async say => {
  say(`registering ${instances} instances`)
  const { residentMB, ...rest } = await measure()
  say('again, with the default checks')
  const accepting = await openAccepting()
  const withDefaultChecks = await measure(accepting.tested)
  accepting.close()
  return {
    row: 'memory.server',
    value: residentMB,
    unit: 'MB',
    better: 'lower',
    detail: { atMost: 600, aim: 300, instances, checks: 'none (checks: [])', ...rest, withDefaultChecks },
  }
}
