import { connect, type Lease, type Portolan } from '@portolan/client'
import type { Fault, Registration } from '@portolan/core'
import { copyKeyOf } from './definition.ts'
import type { Registrar } from './registrar.ts'

/** A registrar that speaks over a session of its own; `close` ends the session. */
export interface SessionRegistrar extends Registrar {
  close(): Promise<void>
}

export interface SessionRegistrarOptions {
  /** One registry, or several that know the same, as a comma list. */
  readonly url: string
  readonly token?: string
  /** Told what the session runs into; it goes on trying. */
  readonly onFault: (fault: Fault) => void
  /** Told whenever a registry answers again, and the first time. */
  readonly onConnect?: () => void
}

/**
 * Speaks for instances over a session. It returns before any registry has answered: a program must not wait for its
 * registry. Once registered, an instance is registered again after every outage.
 * @throws Fault `config_invalid` for an address that is none
 */
export async function openSessionRegistrar(options: SessionRegistrarOptions): Promise<SessionRegistrar> {
  const { url, token, onFault, onConnect } = options
  const portolan = await connect(url.split(','), {
    lazy: true,
    kind: 'agent',
    onFault,
    ...(onConnect !== undefined && { onConnect }),
    ...(token !== undefined && { token }),
  })
  return { ...sessionRegistrar(portolan), close: () => portolan.close({ graceMs: 0 }) }
}

/** The same over a connection that somebody else has. */
export function sessionRegistrar(portolan: Pick<Portolan, 'register'>): Registrar {
  const leases = new Map<string, Lease>()
  return {
    async register(registration) {
      leases.set(copyKeyOf(registration), await portolan.register(claim(registration)))
    },
    async departed(name) {
      const lease = leases.get(copyKeyOf(name))
      leases.delete(copyKeyOf(name))
      await lease?.deregister()
    },
    async drain(name, graceMs) {
      await leases.get(copyKeyOf(name))?.close({ graceMs })
    },
  }
}

/** Without addresses the registry takes the one that it sees the session come from. */
function claim({ addresses, ...rest }: Registration) {
  return addresses.length === 0 ? rest : { ...rest, addresses }
}
