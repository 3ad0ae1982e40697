import { createSecureContext, type SecureContext } from 'node:tls'
import type { HttpCheck, Instance } from '@portolan/core'
import { lookAtEach } from './each-address.ts'
import { unprobeable } from './findings.ts'
import { HttpConnection } from './http-connection.ts'
import { KeptConnections } from './http-kept.ts'
import { type HttpPlan, planHttp, sameWay } from './http-plan.ts'
import type { Finding, Probe, ProbeTarget, Running } from './probe.ts'
import { settleSoon } from './settle-soon.ts'

export interface HttpProbeOptions {
  /** A connection that was kept for the next probe has been closed by the other side: perhaps the instance is gone. */
  readonly lost?: (instance: Instance, check: HttpCheck) => void
  /** Who may sign instances' certificates, PEM. Default: those whom Node.js trusts. */
  readonly ca?: string
}

const inboxBytes = 65_536

/**
 * Asks over HTTP/1.1 and judges by status and body. One connection per instance and check is kept and used again, unless
 * the probe must be fresh; one that the other side has closed meanwhile is replaced without blame. Redirects are never
 * followed.
 */
export function httpProbe({ lost, ca }: HttpProbeOptions = {}): Probe<HttpCheck> {
  const inbox = Buffer.allocUnsafeSlow(inboxBytes)
  const running = new Set<HttpLook>()
  let secure: SecureContext | undefined
  const context = (): SecureContext => {
    secure ??= createSecureContext(ca === undefined ? {} : { ca })
    return secure
  }
  const kept = new KeptConnections()
  const open = (host: string, plan: HttpPlan): HttpConnection =>
    new HttpConnection(host, plan, inbox, context, connection => {
      if (kept.delete(connection)) lost?.(connection.plan.instance, connection.plan.check)
    })

  /** What is kept for this probe, if that may be used, and the plan. */
  const prepare = ({
    instance,
    check,
    fresh,
  }: ProbeTarget<HttpCheck>): [HttpPlan | string, HttpConnection | undefined] => {
    const held = fresh ? undefined : kept.take(instance, check)
    if (held?.plan.instance === instance && held.plan.check === check) return [held.plan, held]
    const plan = planHttp(instance, check)
    if (held === undefined || typeof plan === 'string' || sameWay(held.plan, plan)) return [plan, held]
    held.destroy()
    return [plan, undefined]
  }

  return {
    start(target, settle) {
      const [plan, held] = prepare(target)
      if (typeof plan === 'string') {
        held?.destroy()
        return settleSoon(unprobeable(plan), settle)
      }
      const look: HttpLook = new HttpLook(plan, {
        open,
        settle(finding) {
          running.delete(look)
          settle(finding)
        },
        ended: () => running.delete(look),
        keep: connection => !target.fresh && kept.put(connection),
      })
      running.add(look)
      look.begin(held)
      return look
    },
    async close() {
      for (const look of [...running]) look.cancel()
      kept.close()
    },
  }
}

interface LookEvents {
  open(host: string, plan: HttpPlan): HttpConnection
  settle(finding: Finding): void
  /** It was cancelled. */
  ended(): void
  /** Returns whether a connection that may be used again is kept. */
  keep(connection: HttpConnection): boolean
}

/** One probe: over the connection that was kept, if there is one, and else over a new one. */
class HttpLook implements Running {
  readonly #plan: HttpPlan
  readonly #events: LookEvents
  #connection: HttpConnection | undefined
  #stop: () => void = () => {}
  #over = false

  constructor(plan: HttpPlan, events: LookEvents) {
    this.#plan = plan
    this.#events = events
  }

  begin(held: HttpConnection | undefined): void {
    if (held === undefined) {
      this.#anew()
      return
    }
    this.#stop = () => held.destroy()
    this.#ask(held, finding => this.#settle(finding))
  }

  cancel(): void {
    // Once it has settled, its connection may be kept for another probe.
    if (this.#over) return
    this.#over = true
    this.#events.ended()
    this.#stop()
  }

  waitingFor(): string {
    return this.#connection?.waitingFor ?? 'no connection'
  }

  #anew(): void {
    this.#stop = lookAtEach(
      this.#plan.addresses,
      (host, settle) => {
        const connection = this.#events.open(host, this.#plan)
        this.#ask(connection, settle)
        return () => connection.destroy()
      },
      finding => this.#settle(finding),
    )
  }

  #settle(finding: Finding): void {
    this.#over = true
    this.#events.settle(finding)
  }

  #ask(connection: HttpConnection, settle: (finding: Finding) => void): void {
    this.#connection = connection
    connection.ask(this.#plan, {
      found: (finding, reusable) => {
        if (reusable && !this.#events.keep(connection)) connection.destroy()
        settle(finding)
      },
      stale: () => this.#anew(),
    })
  }
}
