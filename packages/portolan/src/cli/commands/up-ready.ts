import { formatHostPort } from '@portolan/core'
import type { Server } from '../../server.ts'
import type { CopyState } from '../../workloads/supervised.ts'

const patienceMs = 30_000
const pollMs = 50

/**
 * Resolves when the gateway routes and every program has opened its port, or after 30 s with those that have not.
 * One that keeps failing is not waited for.
 */
export async function whenReady(server: Server, signal: AbortSignal): Promise<readonly string[]> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const waiting = server.workloads.states().filter(state => !isUp(state))
    const isRouted = server.gateway.length === 0 || (await isRouting(server))
    if (waiting.length === 0 && isRouted) return []
    const gateway = waiting.some(({ workload }) => workload === 'gateway')
    const isHopeless = waiting.length > 0 && waiting.every(({ failures }) => failures > 2)
    if (signal.aborted || performance.now() > deadline || (isHopeless && (isRouted || gateway))) {
      return [...waiting.map(describe), ...(isRouted || gateway ? [] : [unrouted])]
    }
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
}

const unrouted = 'gateway: it runs, but has not been told its routes; requests get 503 not_ready'

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

async function isRouting({ admin }: Server): Promise<boolean> {
  try {
    const response = await fetch(`http://${formatHostPort(admin.host, admin.port)}/readyz`, {
      signal: AbortSignal.timeout(1000),
    })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
