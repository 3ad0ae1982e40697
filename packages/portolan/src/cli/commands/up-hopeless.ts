import { Fault } from '@portolan/core'
import type { Server } from '../../server.ts'
import { systemKey } from '../../workloads/definition.ts'

/** How our own programs, which print a fault and its hint, say what will not mend itself. */
const refusal = /^(?:error: )?(.*) \[(address_in_use|config_invalid)\]$/

/**
 * A gateway or DNS that can't listen where it is to, or whose configuration does not hold, will not come by itself: that is
 * an error of the start, not a program to wait for.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export function refuseHopeless(
  { workloads }: { readonly workloads: Pick<Server['workloads'], 'states'> },
  own: 'gateway' | 'dns',
): void {
  const program = workloads.states().find(({ workload }) => workload === systemKey(own))
  if (program === undefined || program.phase === 'running') return
  const lines = program.lastExit?.tail.split('\n') ?? []
  const at = lines.findIndex(line => refusal.test(line))
  const [, message, code] = refusal.exec(lines[at] ?? '') ?? []
  if (message === undefined) return
  const name = own === 'dns' ? 'DNS' : 'the gateway'
  const isTaken = code === 'address_in_use'
  const told = message.startsWith(name) ? message : `${name}: ${message}`
  throw new Fault(isTaken ? 'address_in_use' : 'config_invalid', told, {
    source: 'caller',
    hint: isTaken
      ? `end that process, or choose other addresses for ${own}.listen and ${own}.admin`
      : hintBelow(lines[at + 1]) || `see to ${own} in the configuration`,
  })
}

/** Hints are indented. */
function hintBelow(line: string | undefined): string {
  return line?.startsWith('  ') === true ? line.trim() : ''
}
