import { Fault, type InstanceName, type Registration, serviceKey } from '@portolan/core'
import type { Health } from '../health/health.ts'
import { toBeTested } from '../health/to-be-tested.ts'
import type { Access } from '../registry/access/access.ts'
import { instanceGrants } from '../registry/access/grants.ts'
import type { Principal, Registry } from '../registry/registry.ts'
import type { Mint } from './launch.ts'

/** Through whom a supervisor speaks of its instances. `up` has the registry itself, `portolan run` a session. */
export interface Registrar {
  /** Idempotent. Rejects when the registry has refused; a registry that is away is waited for. */
  register(registration: Registration): Promise<void>
  /** The process has ended: proof that the instance is gone. No error when nobody knows it. */
  departed(name: InstanceName): Promise<void>
  /** Resolves when nobody picks the instance any more, or the grace time is over. */
  drain(name: InstanceName, graceMs: number): Promise<void>
}

/** The name of the token, and so of the owner, of a supervised instance: `instance:order/order-1`. */
export function instanceTokenName(name: InstanceName): string {
  return `instance:${serviceKey(name)}/${name.id}`
}

/**
 * Mints programs' tokens, each good for one instance alone. A new one ends those before it: whoever held them has
 * ended. An adopted program keeps the one that it was started with until it is started again.
 */
export function accessMint(access: Pick<Access, 'mint'>): Mint {
  return async name => {
    const request = { name: instanceTokenName(name), grants: instanceGrants(name), replace: true }
    return (await access.mint(request)).secret
  }
}

/** Registers in this process's registry, as the owner that the program's own token names. */
export function registryRegistrar(registry: Registry, health: Pick<Health, 'startingReason'>): Registrar {
  const principalOf = (name: InstanceName): Principal => ({ name: instanceTokenName(name), admin: false })
  return {
    async register(registration) {
      const principal = principalOf(registration)
      const wanted = { registration, principal, source: 'process', tether: 'process' } as const
      await registry.register(toBeTested(health, wanted))
    },
    async departed(name) {
      // Without an incarnation: the SDK inside the program may have registered since, and its process is gone too.
      await ignoringUnknown(registry.deregister(name, principalOf(name), { reason: 'exited' }))
    },
    async drain(name, graceMs) {
      await ignoringUnknown(registry.drain(name, principalOf(name), graceMs))
    },
  }
}

async function ignoringUnknown(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'instance_not_found') throw thrown
  }
}
