import { formatHostPort, type HostPort } from '@portolan/core'
import type { Server } from '../../server.ts'
import { systemKey } from '../../workloads/definition.ts'
import type { CopyState } from '../../workloads/supervised.ts'

const patienceMs = 30_000
const pollMs = 50

/**
 * Resolves when the gateway routes, DNS knows what there is and every program has opened its port, or after 30 s with those that have not.
 * One that keeps failing is not waited for.
 */
export async function whenReady(server: Server, signal: AbortSignal): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const waiting = server.workloads.states().filter(state => !isUp(state))
    const silent = await unready(server)
    if (waiting.length === 0 && silent.length === 0) return []
    const isHopeless = waiting.length > 0 && waiting.every(({ failures }) => failures > 2)
    // Of those that do not even run, that is told already.
    const mute = silent.filter(({ name }) => !waiting.some(({ workload }) => workload === systemKey(name)))
    if (signal.aborted || performance.now() > deadline || (isHopeless && mute.length === 0)) {
      return [...waiting.map(describe), ...mute.map(({ told }) => told)]
    }
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
}

/** The programs of Portolan's own that can not do yet what they are for. */
async function unready({ gateway, admin, dns, dnsAdmin }: Server) {
  const own = [
    { name: 'gateway', listens: gateway, admin, told: unrouted },
    { name: 'dns', listens: dns, admin: dnsAdmin, told: unknowing },
  ].filter(({ listens }) => listens.length > 0)
  const ready = await Promise.all(own.map(program => isReady(program.admin)))
  return own.filter((_, index) => ready[index] !== true)
}

const unrouted = 'gateway: it runs, but has not been told its routes; requests get 503 not_ready'
const unknowing = 'dns: it runs, but has not been told which services there are; questions get SERVFAIL'

const isUp = ({ phase }: CopyState): boolean => phase === 'running' || phase === 'open'

/** Why a program is not there, with the end of its output. */
export function describe({ id, lastExit, log }: CopyState): string {
  if (lastExit === undefined) return `${id} has not opened its port; its output is in ${log}`
  const { code, signal, error, tail } = lastExit
  const how = error ?? (signal === null ? `exit code ${code}` : `ended by ${signal}`)
  const lines =
    tail === ''
      ? ''
      : `\n${tail
          .split('\n')
          .slice(-5)
          .map(line => `    ${line}`)
          .join('\n')}`
  return `${id}: ${how}; its output is in ${log}${lines}`
}

async function isReady({ host, port }: HostPort): Promise<boolean> {
  try {
    const response = await fetch(`http://${formatHostPort(host, port)}/readyz`, {
      signal: AbortSignal.timeout(1000),
    })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
