import { defaultNamespace, type Instance, type InstanceName } from '@portolan/core'
import { hexOfAddress } from './hex.ts'
import { isPlainLabel, longestName } from './labels.ts'
import type { Domain } from './meaning.ts'

/** What we call our only data centre towards those who expect one. */
export const dataCentre = 'dc1'

/** Addresses that mean something to others: those with a zone id (`fe80::1%eth0`) do on the machine itself alone. */
export function sayableAddresses({ addresses }: Pick<Instance, 'addresses'>): readonly string[] {
  return addresses.some(address => address.includes('%'))
    ? addresses.filter(address => !address.includes('%'))
    : addresses
}

/** `i-1.instance.order`, or `i-1.instance.order.staging.ns`; `undefined` where one of its names can't be a label. */
export function instanceName({ id, service, namespace }: InstanceName): string | undefined {
  if (![id, service, namespace].every(isPlainLabel)) return undefined
  const plain = `${id}.instance.${service}`
  return namespace === defaultNamespace ? plain : `${plain}.${namespace}.ns`
}

/** `7f000001.addr.portolan`, `7f000001.addr.dc1.consul`; `undefined` for an address with a zone id. */
export function addressName(address: string, domain: Domain): string | undefined {
  const hex = hexOfAddress(address)
  if (hex === undefined) return undefined
  return domain.style === 'consul' ? `${hex}.addr.${dataCentre}.${domain.name}` : `${hex}.addr.${domain.name}`
}

/**
 * What SRV and PTR records call an instance: a name that stands for it alone where that can be written, or else for one of
 * its addresses.
 * @param address which one. Default: the first that means something to others
 * @returns `undefined` where there is no such address
 */
export function targetOf(
  instance: Instance,
  domain: Domain,
  address: string | undefined = sayableAddresses(instance)[0],
): string | undefined {
  return ownTarget(instance, domain) ?? (address === undefined ? undefined : addressName(address, domain))
}

/** The name that stands for the instance alone, where that can be written in the domain. */
export function ownTarget(instance: InstanceName, domain: Domain): string | undefined {
  const own = domain.style === 'portolan' ? instanceName(instance) : undefined
  const target = own === undefined ? undefined : `${own}.${domain.name}`
  return target !== undefined && target.length <= longestName ? target : undefined
}
