import { Fault, formatHostPort, type Instance, type Milliseconds, type Port } from '@portolan/core'
import { type Dispatcher, Pool } from 'undici'
import type { TlsOptions } from '../session/wire.ts'

export interface PoolsOptions {
  /** The name of the port to call; default the first that speaks HTTP. */
  readonly port: string | undefined
  readonly connectMs: Milliseconds
  /** Connections to one instance. */
  readonly connections: number
  readonly tls: TlsOptions | undefined
}

/**
 * Connections to the instances of one service: a pool for each address, made at its first use, closed when its last
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

  const open = (origin: string) => {
    const pool = new Pool(origin, {
      connections: options.connections,
      keepAliveTimeout: keepAliveMs,
      connectTimeout: options.connectMs,
      ...(options.tls === undefined ? {} : { connect: { ...options.tls, timeout: options.connectMs } }),
    })
    pools.set(origin, pool)
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
      const origin = originOf(instance, options.port)
      const pool = pools.get(origin) ?? open(origin)
      found.set(instance, pool)
      return pool
    },
    keepOnly(instances) {
      if (pools.size === 0) return
      const wanted = new Set(instances.map(instance => tryOriginOf(instance, options.port)))
      for (const [origin, pool] of pools) {
        if (wanted.has(origin)) continue
        pools.delete(origin)
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

function originOf(instance: Instance, name: string | undefined): string {
  const origin = tryOriginOf(instance, name)
  if (origin !== undefined) return origin
  const what = name === undefined ? 'a port that speaks HTTP' : `a port named "${name}"`
  throw new Fault('no_instance_available', `${instance.service}/${instance.id} has no address and ${what}`, {
    source: 'upstream',
    hint: 'look at its registration with `portolan instances`',
  })
}

function tryOriginOf(instance: Instance, name: string | undefined): string | undefined {
  const port = name === undefined ? httpPort(instance.ports) : instance.ports.find(each => each.name === name)
  // URLs cannot carry a zone id; an address without one is as good.
  const address = instance.addresses.find(each => !each.includes('%'))
  if (port === undefined || address === undefined) return undefined
  return `${port.tls ? 'https' : 'http'}://${formatHostPort(address, port.number)}`
}

function httpPort(ports: readonly Port[]): Port | undefined {
  return ports.find(({ protocol }) => protocol === 'http') ?? ports.find(({ protocol }) => protocol !== 'udp')
}
