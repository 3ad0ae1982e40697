import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { Fault, type Random } from '@portolan/core'

/** Gives programs their ports. */
export interface PortPool {
  /**
   * A port that no program of ours has and nobody listens on. `wish`: that one, if it is free; `must`: that one or none.
   * @throws Fault `address_in_use` (retryable) when there is none
   */
  take(wish?: { readonly port: number; readonly must: boolean }): Promise<number>
  /** Counts a port as taken without a look: the program that we adopt listens on it. */
  hold(port: number): void
  /** It may be given to another program. */
  release(port: number): void
}

const firstPort = 20_000
const tries = 200

/**
 * Chooses below the kernel's range for outgoing connections: between our look and the program's `listen`, and while
 * a program restarts, no connection of somebody else can take the port by chance.
 */
export function openPortPool(random: Random, range: readonly [number, number] = quietRange()): PortPool {
  const [first, last] = range
  const taken = new Set<number>()
  const claim = async (port: number): Promise<boolean> => {
    if (taken.has(port)) return false
    // Before the look, which is asynchronous: siblings that start together never get the same port.
    taken.add(port)
    if (await isFree(port)) return true
    taken.delete(port)
    return false
  }
  return {
    async take(wish) {
      if (wish !== undefined) {
        if (await claim(wish.port)) return wish.port
        if (wish.must) throw portInUse(wish.port)
      }
      for (let index = 0; index < tries; index++) {
        const port = first + Math.floor(random() * (last - first + 1))
        if (await claim(port)) return port
      }
      throw new Fault('address_in_use', `found no free port from ${first} to ${last} in ${tries} tries`, {
        source: 'internal',
        retryable: true,
        hint: 'give the program a fixed port',
      })
    },
    hold(port) {
      taken.add(port)
    },
    release(port) {
      taken.delete(port)
    },
  }
}

function portInUse(port: number): Fault {
  return new Fault('address_in_use', `port ${port} is in use`, {
    source: 'caller',
    retryable: true,
    hint: `find its owner with: ss -ltnp 'sport = :${port}', or leave the port out to have one chosen`,
  })
}

function quietRange(): readonly [number, number] {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    const lowestOutgoing = Number.parseInt(text, 10)
    if (lowestOutgoing > firstPort + 1000) return [firstPort, Math.min(lowestOutgoing - 1, 29_999)]
  } catch {
    // Not readable: the kernel's default range starts at 32768.
  }
  return [firstPort, 29_999]
}

/** Whether nobody listens on this port at any address. */
async function isFree(port: number): Promise<boolean> {
  const outcome = await tryListen(port, '::')
  // A host without IPv6 has no such address.
  return outcome === 'EAFNOSUPPORT' || outcome === 'EADDRNOTAVAIL'
    ? (await tryListen(port, '0.0.0.0')) === 'free'
    : outcome === 'free'
}

function tryListen(port: number, host: string): Promise<string> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve((error as NodeJS.ErrnoException).code ?? 'failed'))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')))
  })
}
