import { type ConnectOptions, connect, type Lease } from '@portolan/client'
import { type InstanceName, type Registration, serviceKey } from '@portolan/core'
import type { Registrar } from '../workloads/registrar.ts'

export interface SessionRegistrar extends Registrar {
  close(): Promise<void>
}

const keyOf = (name: InstanceName): string => `${serviceKey(name)}/${name.id}`

/** Speaks of instances over a session, for as long as that takes: with a registry that is away it starts all the same. */
export async function openSessionRegistrar(url: string, options: ConnectOptions): Promise<SessionRegistrar> {
  const portolan = await connect(url, { ...options, lazy: true })
  const leases = new Map<string, Lease>()
  return {
    async register({ addresses, ...registration }: Registration) {
      const known = addresses.length === 0 ? {} : { addresses }
      leases.set(keyOf(registration), await portolan.register({ ...registration, ...known }))
    },
    async drain(name, graceMs) {
      await leases.get(keyOf(name))?.close({ graceMs })
    },
    async departed(name) {
      await leases.get(keyOf(name))?.deregister()
    },
    close: () => portolan.close({ graceMs: 0 }),
  }
}
