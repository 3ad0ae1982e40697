import { lookup } from 'node:dns/promises'
import { canonicalIp, type HostPort, type Registration, toFault } from '@portolan/core'
import type { StaticMember } from '../config/resolve.ts'
import type { Health } from '../health/health.ts'
import { toBeTested } from '../health/to-be-tested.ts'
import type { Principal, Registry } from '../registry/registry.ts'

/** Told of a member that cannot be registered as things are. */
export type LeftOut = (line: string) => void

const principal: Principal = { name: 'config', admin: false }

/**
 * Registers the members that the configuration file names, and removes those that an earlier file named and this one
 * does not. A name is looked up once; one that has no address yet is said and left out until the next load.
 */
export async function applyStaticMembers(
  members: readonly StaticMember[],
  registry: Registry,
  health: Health,
  leftOut: LeftOut,
  look: Look = lookedUp,
): Promise<void> {
  const wanted = new Set(members.map(keyOf))
  const stale = registry
    .services()
    .flatMap(({ name }) => registry.view(name).instances)
    .filter(instance => instance.source === 'config' && !wanted.has(keyOf(instance)))
  await Promise.all([
    ...stale.map(instance => registry.deregister(instance, principal, { reason: 'removed' })),
    ...members.map(member => registerMember(member, { registry, health, leftOut, look })),
  ])
}

const keyOf = (name: { namespace: string; service: string; id: string }): string =>
  `${name.namespace}/${name.service}/${name.id}`

interface Registering {
  readonly registry: Registry
  readonly health: Health
  readonly leftOut: LeftOut
  readonly look: Look
}

async function registerMember(
  member: StaticMember,
  { registry, health, leftOut, look }: Registering,
): Promise<void> {
  try {
    const found = await addressesOf(member.address, look)
    const addresses = inKnownOrder(found, registry.find(member)?.addresses)
    const registration = registrationOf(member, addresses)
    const wanted = { registration, principal, source: 'config', tether: 'static' } as const
    await registry.register(toBeTested(health, wanted))
  } catch (thrown) {
    const { message } = toFault(thrown)
    leftOut(`static member left out: ${member.service}/${member.id}: ${message}`)
  }
}

/** The addresses of a name. */
type Look = (host: string) => Promise<readonly string[]>

const lookedUp: Look = async host => {
  const found = await lookup(host, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

/** The literal itself, or all addresses of a name, in the resolver's order. */
async function addressesOf({ host }: HostPort, look: Look): Promise<readonly string[]> {
  return isLiteral(host) ? [host] : [...new Set(await look(host))].slice(0, 8)
}

/** Resolvers give addresses in turns: another order is the same instance still, and no new run of it. */
function inKnownOrder(addresses: readonly string[], known: readonly string[] = []): readonly string[] {
  const isSame = addresses.length === known.length && addresses.every(address => known.includes(address))
  return isSame ? known : addresses
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
