import { Fault, formatHostPort, httpPort, type Instance, type Milliseconds } from '@portolan/core'
import { type Dispatcher, Pool } from 'undici'
import type { TlsOptions } from '../session/wire.ts'
import { dial, servernameOf, type Target } from './dial.ts'

export interface PoolsOptions {
  /** The name of the port to call; default the first that speaks HTTP. */
  readonly port: string | undefined
  readonly connectMs: Milliseconds
  /** Connections to one instance. */
  readonly connections: number
  readonly tls: TlsOptions | undefined
}

/**
 * Connections to the instances of one service: a pool for each way to reach one, made at its first use, closed when its last
 * request is done after the instance has left.
 */
export interface Pools {
  /** @throws Fault `no_instance_available` when the instance has no port that we could call */
  for(instance: Instance): Dispatcher
  /** Lets go of every pool that no instance of the set uses. */
  keepOnly(instances: readonly Instance[]): void
  /** Waits for what is under way, `withinMs` at most, then cuts it. */
  close(withinMs: Milliseconds): Promise<void>
}

/** Below the 5 s of Node's own servers: a server must not close what we are about to write to. */
const keepAliveMs = 4000

export function openPools(options: PoolsOptions): Pools {
  const pools = new Map<string, Pool>()
  /** Pools whose instances have left, and which still have requests under way. */
  const parting = new Set<Pool>()
  /** Instance objects are replaced when they change: what was found for one holds for as long as it lives. */
  const found = new WeakMap<Instance, Pool>()

  const open = (key: string, target: Target) => {
    const pool = new Pool(originOf(target), {
      connections: options.connections,
      keepAliveTimeout: keepAliveMs,
      connect: (_, done) =>
        dial(target, options.connectMs, (error, socket) => {
          if (socket === null) done(error ?? new Error('no connection'), null)
          else done(null, socket)
        }),
    })
    pools.set(key, pool)
    return pool
  }

  const part = (pool: Pool) => {
    parting.add(pool)
    pool.close().then(
      () => parting.delete(pool),
      () => parting.delete(pool),
    )
  }

  return {
    for(instance) {
      const known = found.get(instance)
      if (known !== undefined && !known.closed) return known
      const target = targetOf(instance, options)
      if (target === undefined) throw unreachable(instance, options.port)
      const key = keyOf(target)
      const pool = pools.get(key) ?? open(key, target)
      found.set(instance, pool)
      return pool
    },
    keepOnly(instances) {
      if (pools.size === 0) return
      const wanted = new Set<string>()
      for (const instance of instances) {
        const target = targetOf(instance, options)
        if (target !== undefined) wanted.add(keyOf(target))
      }
      for (const [key, pool] of pools) {
        if (wanted.has(key)) continue
        pools.delete(key)
        part(pool)
      }
    },
    async close(withinMs) {
      for (const pool of pools.values()) part(pool)
      pools.clear()
      const closing = [...parting]
      let timer: NodeJS.Timeout | undefined
      const late = new Promise(resolve => {
        timer = setTimeout(resolve, withinMs)
      })
      await Promise.race([Promise.all(closing.map(pool => pool.close().catch(() => {}))), late])
      clearTimeout(timer)
      await Promise.all(closing.filter(pool => !pool.destroyed).map(pool => pool.destroy()))
    },
  }
}

function targetOf(instance: Instance, options: PoolsOptions): Target | undefined {
  const { addresses, ports, host } = instance
  const name = options.port
  const port = name === undefined ? httpPort(ports) : ports.find(each => each.name === name)
  if (port === undefined || addresses.length === 0) return undefined
  if (!port.tls) return { addresses, port: port.number }
  const servername = servernameOf(host)
  const tls = { ...(servername === undefined ? {} : { servername }), ...options.tls }
  return { addresses, port: port.number, tls }
}

function keyOf({ addresses, port, tls }: Target): string {
  return `${tls === undefined ? 'http' : `https ${tls.servername ?? ''}`} ${addresses.join(' ')} ${port}`
}

/** What `Host` says. A zone id is nobody's business but this machine's (RFC 6874 section 1). */
function originOf({ addresses, port, tls }: Target): string {
  const address = (addresses[0] ?? '').replace(/%.*$/, '')
  return `${tls === undefined ? 'http' : 'https'}://${formatHostPort(address, port)}`
}

function unreachable({ service, id }: Instance, name: string | undefined): Fault {
  const what = name === undefined ? 'a port that speaks HTTP' : `a port named "${name}"`
  return new Fault('no_instance_available', `${service}/${id} has no address and ${what}`, {
    source: 'upstream',
    hint: 'look at its registration with `portolan instances`',
  })
}
