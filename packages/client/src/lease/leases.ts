import { defaultNamespace, Fault, type InstanceName, type Milliseconds } from '@portolan/core'
import type { LocalRuntime, Timers } from '../runtime.ts'
import { type Session, sessionClosed, type Tenant } from '../session/session.ts'
import { type HeldLease, holdLease, type Lease } from './held-lease.ts'
import type { Claim } from './registration.ts'

/** Everything that this process has registered. */
export interface Leases {
  /** @throws Fault what the registry refuses it for, `registry_unreachable`, `session_closed` */
  register(claim: Claim): Promise<Lease>
  /** Drains and deregisters all of them; refuses new ones from now on. */
  close(graceMs: Milliseconds | undefined): Promise<void>
}

export function openLeases(session: Session, onFault: (fault: Fault) => void, runtime: LocalRuntime): Leases {
  const held = new Map<string, HeldLease>()
  let closed = false

  const tenant: Tenant = {
    up(link) {
      for (const lease of [...held.values()]) lease.up(link)
    },
    receive(message) {
      if (message.type === 'may-stop') held.get(keyOf(message))?.mayStop()
    },
    down() {
      for (const lease of held.values()) lease.down()
    },
  }
  session.attach(tenant)

  return {
    async register(claim) {
      if (closed) throw sessionClosed()
      const key = keyOf(claim.name)
      if (held.has(key)) throw registeredTwice(claim.name)
      const lease = holdLease(claim, {
        timers: runtime.timers,
        random: runtime.random,
        onFault,
        onEnd: () => held.delete(key),
      })
      held.set(key, lease)
      if (session.link !== undefined) lease.up(session.link)
      await firstAnswer(lease, claim.timeoutMs, runtime.timers)
      return lease.lease
    },
    async close(graceMs) {
      closed = true
      const grace = graceMs === undefined ? {} : { graceMs }
      await Promise.all([...held.values()].map(({ lease }) => lease.close(grace)))
    },
  }
}

/** A registration that nobody acknowledges in time is given up: its caller is told that there is none. */
async function firstAnswer(
  held: HeldLease,
  withinMs: Milliseconds | undefined,
  timers: Timers,
): Promise<void> {
  if (withinMs === undefined) return held.acknowledged
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = timers.after(withinMs, () => reject(unacknowledged(held.lease, withinMs)))
  })
  try {
    await Promise.race([held.acknowledged, late])
  } catch (thrown) {
    void held.lease.deregister()
    throw thrown
  } finally {
    cancel()
  }
}

function keyOf(name: { readonly namespace?: string; readonly service: string; readonly id: string }): string {
  return `${name.namespace ?? defaultNamespace}/${name.service}/${name.id}`
}

function unacknowledged(name: InstanceName, withinMs: Milliseconds): Fault {
  return new Fault(
    'registry_unreachable',
    `no registry acknowledged ${name.service}/${name.id} within ${withinMs} ms`,
    { source: 'upstream', retryable: true },
  )
}

function registeredTwice(name: InstanceName): Fault {
  return new Fault('invalid_request', `${name.service}/${name.id} is registered by this client already`, {
    source: 'caller',
    hint: 'close its lease first, or give the second copy an id of its own',
  })
}
