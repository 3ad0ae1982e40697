import type { HttpCheck, Instance } from '@portolan/core'
import { HttpConnection } from './http-connection.ts'
import { planHttp } from './http-plan.ts'
import { keepingProbe } from './keeping-probe.ts'
import type { Probe } from './probe.ts'
import { secureContext } from './secure-context.ts'

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
  const context = secureContext(ca)
  return keepingProbe<HttpCheck>({
    plan: planHttp,
    open: (host, plan, idleLost) => new HttpConnection(host, plan, inbox, context, idleLost),
    ...(lost !== undefined && { lost }),
  })
}
