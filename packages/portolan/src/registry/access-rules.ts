import { Fault, type InstanceName, serviceKey } from '@portolan/core'
import type { InstanceRecord } from './records.ts'
import type { Principal } from './registry.ts'

export function notFound(name: InstanceName): Fault {
  return new Fault('instance_not_found', `${serviceKey(name)} has no instance "${name.id}"`, {
    source: 'caller',
    hint: `portolan instances ${serviceKey(name)} lists those that there are`,
  })
}

/** Another owner's instance is for admins. @throws Fault `forbidden` */
export function checkOwner(name: InstanceName, { instance }: InstanceRecord, principal: Principal): void {
  if (principal.admin || instance.owner === principal.name) return
  throw new Fault('forbidden', `${serviceKey(name)}/${name.id} belongs to "${instance.owner}"`, {
    source: 'caller',
    hint: "use its owner's token, or one with the verb admin",
  })
}

/** @throws Fault `stale_incarnation` */
export function checkIncarnation(
  name: InstanceName,
  { instance }: InstanceRecord,
  incarnation: number | undefined,
): void {
  if (incarnation === undefined || incarnation >= instance.incarnation) return
  throw new Fault(
    'stale_incarnation',
    `${serviceKey(name)}/${name.id} has a newer run, ${instance.incarnation}`,
    {
      source: 'caller',
      hint: 'this run was replaced: register again to take the id back',
    },
  )
}
