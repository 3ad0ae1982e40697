import type { HttpCheck, Instance } from '@portolan/core'
import { aimAt } from './aim.ts'
import { httpRequest, unwritable } from './http-request.ts'
import { type Plan, tlsPlan } from './plan.ts'

export type HttpPlan = Plan<HttpCheck>

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
