import { Fault, type Milliseconds, type ServerMessage } from '@portolan/core'
import type { Cancel, Runtime } from '../runtime.ts'
import { type Link, type LinkHandle, openLink } from './link.ts'
import { patienceOf, type Rotation, rotate, startRotation } from './rotation.ts'
import type { TlsOptions } from './wire.ts'

export type SessionKind = 'sdk' | 'proxy' | 'agent'

export interface SessionOptions {
  /** ws: or wss: addresses of registries that know the same, at least one. */
  readonly urls: readonly string[]
  readonly kind: SessionKind
  /** Who we are, for people who look at the registry. */
  readonly name: string
  readonly token: string | undefined
  readonly tls: TlsOptions | undefined
  /** How long one attempt to connect may take; longer while the registries have too much to do. */
  readonly attemptMs: Milliseconds
  /** How long one request may wait for its answer. */
  readonly requestMs: Milliseconds
  /** Told of every connection that failed or ended, with its address in the message. */
  readonly onFault: (fault: Fault) => void
}

/**
 * Somebody whose state must be told to every new connection: leases, subscriptions.
 * `up` comes for each connection, `down` after each `up`.
 */
export interface Tenant {
  up(link: Link): void
  receive(message: ServerMessage): void
  down(): void
}

/** A client's standing with the registries: at most one connection at a time, renewed for as long as it takes. */
export interface Session {
  /** The connection of this moment. */
  readonly link: Link | undefined
  /** A tenant that comes while a connection is up gets its `up` within the call. */
  attach(tenant: Tenant): void
  /** @throws Fault `registry_unreachable` naming every URL tried and why, or what all of them refused us for */
  whenUp(timeoutMs: Milliseconds): Promise<Link>
  /** Says goodbye. Resolves when no socket and no timer is left. */
  close(): Promise<void>
}

interface Waiter {
  readonly resolve: (link: Link) => void
  readonly reject: (fault: Fault) => void
}

/** Opens a session and keeps it open; never throws because of a registry. */
export function openSession(options: SessionOptions, runtime: Runtime): Session {
  const { clock, random, timers } = runtime
  const tenants = new Set<Tenant>()
  const waiters = new Set<Waiter>()
  const troubles = new Map<string, Fault>()
  let rotation: Rotation = startRotation(options.urls.length, random)
  let handle: LinkHandle | undefined
  let link: Link | undefined
  let stopPause: Cancel = () => {}
  let resume: string | undefined
  let whenDown: (() => void) | undefined
  let closed = false

  const dial = () => {
    const url = options.urls[rotation.next] ?? ''
    const { connectMs, answerMs } = patienceOf(rotation, options.attemptMs)
    const dialledAt = clock.now()
    let upAt: Milliseconds | undefined
    handle = openLink(
      {
        url,
        hello: { kind: options.kind, name: options.name, ...(resume === undefined ? {} : { resume }) },
        token: options.token,
        tls: options.tls,
        connectMs,
        timeoutMs: answerMs,
        requestMs: options.requestMs,
      },
      runtime,
      {
        up(next) {
          upAt = clock.now()
          link = next
          resume = next.welcome.session
          troubles.clear()
          for (const waiter of [...waiters]) waiter.resolve(next)
          for (const tenant of [...tenants]) tenant.up(next)
        },
        receive(message) {
          for (const tenant of tenants) tenant.receive(message)
        },
        down(fault) {
          handle = undefined
          link = undefined
          if (upAt !== undefined) for (const tenant of [...tenants]) tenant.down()
          if (closed) return whenDown?.()
          options.onFault(withAddress(fault, url))
          troubles.set(url, fault)
          if (upAt === undefined) refuseWaiters(troubles, options.urls, waiters)
          const step = rotate(
            rotation,
            upAt === undefined
              ? { kind: 'failed', late: clock.now() - dialledAt >= Math.min(connectMs, answerMs) }
              : { kind: 'lost', upMs: clock.now() - upAt },
            random,
          )
          rotation = step.rotation
          stopPause = timers.after(step.pauseMs, dial)
        },
      },
    )
  }
  dial()

  return {
    get link() {
      return link
    },
    attach(tenant) {
      tenants.add(tenant)
      if (link !== undefined) tenant.up(link)
    },
    whenUp(timeoutMs) {
      if (link !== undefined) return Promise.resolve(link)
      return new Promise<Link>((resolve, reject) => {
        const settle = () => {
          cancel()
          waiters.delete(waiter)
        }
        const waiter: Waiter = {
          resolve: up => {
            settle()
            resolve(up)
          },
          reject: fault => {
            settle()
            reject(fault)
          },
        }
        const cancel = timers.after(timeoutMs, () =>
          waiter.reject(unreachable(troubles, options.urls, timeoutMs)),
        )
        if (closed) return waiter.reject(sessionClosed())
        waiters.add(waiter)
      })
    },
    async close() {
      if (closed) return
      closed = true
      stopPause()
      for (const waiter of [...waiters]) waiter.reject(sessionClosed())
      const open = handle
      if (open === undefined) return
      await new Promise<void>(resolve => {
        whenDown = resolve
        open.close()
      })
    },
  }
}

/** Nobody needs to wait any longer when every registry has been asked and each of them refused us for good. */
function refuseWaiters(
  troubles: ReadonlyMap<string, Fault>,
  urls: readonly string[],
  waiters: ReadonlySet<Waiter>,
): void {
  const answers = urls.map(url => troubles.get(url))
  if (answers.some(fault => fault === undefined || fault.retryable)) return
  const first = answers[0]
  if (first === undefined) return
  const fault = new Fault(first.code, describe(troubles, urls), {
    source: 'upstream',
    cause: first,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  })
  for (const waiter of [...waiters]) waiter.reject(fault)
}

function unreachable(
  troubles: ReadonlyMap<string, Fault>,
  urls: readonly string[],
  timeoutMs: Milliseconds,
): Fault {
  return new Fault(
    'registry_unreachable',
    `no registry answered within ${timeoutMs} ms: ${describe(troubles, urls)}`,
    {
      source: 'upstream',
      retryable: true,
      hint: 'start one with `portolan up`, or name its address in PORTOLAN_URL',
    },
  )
}

function describe(troubles: ReadonlyMap<string, Fault>, urls: readonly string[]): string {
  return urls.map(url => `${url} (${troubles.get(url)?.message ?? 'no answer yet'})`).join(', ')
}

function withAddress(fault: Fault, url: string): Fault {
  return new Fault(fault.code, `${url}: ${fault.message}`, {
    source: fault.source,
    retryable: fault.retryable,
    cause: fault,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  })
}

export function sessionClosed(): Fault {
  return new Fault('session_closed', 'this client is closed', { source: 'caller' })
}
