import { lookup } from 'node:dns/promises'
import { canonicalIp, type HostPort, type Registration, toFault } from '@portolan/core'
import type { StaticMember } from '../config/resolve.ts'
import type { Health } from '../health/health.ts'
import { toBeTested } from '../health/to-be-tested.ts'
import type { Log } from '../observe/log.ts'
import type { Principal, Registry } from '../registry/registry.ts'

const principal: Principal = { name: 'config', admin: false }

/**
 * Registers the members that the configuration file names, and removes those that an earlier file named and this one
 * does not. A name is looked up once; one that has no address yet is said and left out until the next load.
 */
export async function applyStaticMembers(
  members: readonly StaticMember[],
  registry: Registry,
  health: Health,
  log: Log,
): Promise<void> {
  const wanted = new Set(members.map(keyOf))
  const stale = registry
    .services()
    .flatMap(({ name }) => registry.view(name).instances)
    .filter(instance => instance.source === 'config' && !wanted.has(keyOf(instance)))
  await Promise.all([
    ...stale.map(instance => registry.deregister(instance, principal, { reason: 'removed' })),
    ...members.map(member => registerMember(member, registry, health, log)),
  ])
}

const keyOf = (name: { namespace: string; service: string; id: string }): string =>
  `${name.namespace}/${name.service}/${name.id}`

async function registerMember(
  member: StaticMember,
  registry: Registry,
  health: Health,
  log: Log,
): Promise<void> {
  try {
    const addresses = await addressesOf(member.address)
    const registration = registrationOf(member, addresses)
    const wanted = { registration, principal, source: 'config', tether: 'static' } as const
    await registry.register(toBeTested(health, wanted))
  } catch (thrown) {
    const { message } = toFault(thrown)
    log.error({ service: member.service, instance: member.id }, `static member left out: ${message}`)
  }
}

/** The literal itself, or all addresses of a name, in the resolver's order. */
async function addressesOf({ host }: HostPort): Promise<readonly string[]> {
  if (isLiteral(host)) return [host]
  const found = await lookup(host, { all: true, verbatim: true })
  return [...new Set(found.map(entry => entry.address))].slice(0, 8)
}

const isLiteral = (host: string): boolean => canonicalIp(host) !== undefined

function registrationOf(member: StaticMember, addresses: readonly string[]): Registration {
  const { namespace, service, id, address } = member
  return {
    namespace,
    service,
    id,
    addresses,
    ports: [{ name: 'http', number: address.port, protocol: 'http', tls: false }],
    weight: 1,
    tags: [],
    metadata: {},
    ...(isLiteral(address.host) ? {} : { host: address.host }),
  }
}
