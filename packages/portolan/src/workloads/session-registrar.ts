import { type CheckOptions, connect, type Lease, type Portolan, type StatusReport } from '@portolan/client'
import type { Fault, InstanceName, Registration } from '@portolan/core'
import { copyKeyOf } from './definition.ts'
import type { Registrar } from './registrar.ts'

/** A registrar that also says how an instance is. */
export interface ReportingRegistrar extends Registrar {
  /** @param checks the instance's own; undefined = it asks for none in particular */
  register(registration: Registration, checks?: readonly CheckOptions[]): Promise<void>
  /** For one of its `ttl` checks. Nothing happens before it is registered. */
  report(name: InstanceName, report: StatusReport): Promise<void>
}

/** One that speaks over a session of its own; `close` ends the session. */
export interface SessionRegistrar extends ReportingRegistrar {
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
export function sessionRegistrar(portolan: Pick<Portolan, 'register'>): ReportingRegistrar {
  const leases = new Map<string, Lease>()
  return {
    async register(registration, checks) {
      const options = claim(registration)
      const lease = await portolan.register(checks === undefined ? options : { ...options, checks })
      leases.set(copyKeyOf(registration), lease)
    },
    async report(name, report) {
      await leases.get(copyKeyOf(name))?.report(report)
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
