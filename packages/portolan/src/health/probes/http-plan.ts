import { isIP } from 'node:net'
import type { HttpCheck, Instance } from '@portolan/core'
import { aimAt } from './aim.ts'
import { httpRequest, unwritable } from './http-request.ts'

/** How a connection is secured; who is expected there is its host, or else its address. */
export interface TlsPlan {
  readonly servername?: string
  readonly verify: boolean
}

/** What an HTTP check comes down to for one instance. */
export interface HttpPlan {
  readonly check: HttpCheck
  readonly instance: Instance
  readonly addresses: readonly string[]
  readonly port: number
  readonly tls: TlsPlan | undefined
}

/** @returns text for people where the check cannot be run */
export function planHttp(instance: Instance, check: HttpCheck): HttpPlan | string {
  const aim = aimAt(instance, check.port, 'http')
  if (typeof aim === 'string') return aim
  const { addresses, port } = aim
  const tls = (check.tls ?? aim.tls) ? tlsPlan(instance, check.verify !== false) : undefined
  return unwritable(check) ?? { check, instance, addresses, port, tls }
}

/** The request as it goes to one of the addresses. */
export function requestOf({ instance, check, port, tls }: HttpPlan, address: string): string {
  return httpRequest(check, instance.host ?? address, port, tls !== undefined)
}

/** Whether a connection that was opened by one plan may be used by the other. */
export function sameWay(a: HttpPlan, b: HttpPlan): boolean {
  return (
    a.port === b.port &&
    a.tls?.verify === b.tls?.verify &&
    a.instance.host === b.instance.host &&
    a.instance.incarnation === b.instance.incarnation
  )
}

export function tlsPlan({ host }: Instance, verify: boolean): TlsPlan {
  return host === undefined || isIP(host) !== 0 ? { verify } : { servername: host, verify }
}
