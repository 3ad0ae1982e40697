import { priorityOf } from '@portolan/core'
import type { DnsRecord } from '../codec/record.ts'
import { portOf } from '../names/matching.ts'
import type { Domain, WantedPort } from '../names/meaning.ts'
import { addressName, ownTarget, sayableAddresses } from '../names/target.ts'
import type { Candidate } from './candidates.ts'
import { addressRecord, familyOf } from './records.ts'
import type { Answer } from './reply.ts'
import { srvWeights } from './srv-weights.ts'
import { textsOf } from './texts.ts'

/** What all records of an answer have in common. */
export interface Heading {
  readonly name: string
  /** Seconds. */
  readonly ttl: number
}

/**
 * A record for each address of that family. One that several instances have, at ports of their own, is there once, with what
 * is due to all of them; one that has several addresses parts its share among them.
 */
export function addressAnswers(
  { name, ttl }: Heading,
  family: 'A' | 'AAAA',
  candidates: readonly Candidate[],
): readonly Answer[] {
  const weights = new Map<string, number>()
  for (const { instance, weight } of candidates) {
    const addresses = sayableAddresses(instance).filter(address => familyOf(address) === family)
    for (const address of addresses) {
      weights.set(address, (weights.get(address) ?? 0) + weight / addresses.length)
    }
  }
  return Array.from(weights, ([address, weight]) => ({
    record: addressRecord(name, address, ttl),
    weight,
    priority: 0,
    additional: [],
  }))
}

interface Service {
  readonly port: number
  readonly target: string
  readonly priority: number
  weight: number
  readonly additional: readonly DnsRecord[]
}

export interface SrvOptions {
  readonly domain: Domain
  readonly port: WantedPort | undefined
  readonly weightScale: number
}

/** RFC 2782. Two instances that would look the same are one record, with what is due to both. */
export function srvAnswers(
  { name, ttl }: Heading,
  candidates: readonly Candidate[],
  { domain, port: wanted, weightScale }: SrvOptions,
): readonly Answer[] {
  const services = new Map<string, Service>()
  const addressesOf = addressBook(ttl)
  for (const { instance, weight } of candidates) {
    const port = portOf(instance.ports, wanted)?.number
    const addresses = sayableAddresses(instance)
    const [first] = addresses
    if (port === undefined || first === undefined) continue
    const own = ownTarget(instance, domain)
    const target = own ?? addressName(first, domain)
    if (target === undefined) continue
    const priority = priorityOf(instance)
    const key = `${priority} ${port} ${target}`
    const same = services.get(key)
    if (same !== undefined) same.weight += weight
    else {
      const additional = addressesOf(target, own === undefined ? [first] : addresses)
      services.set(key, { port, target, priority, weight, additional })
    }
  }
  const found = [...services.values()]
  const weights = srvWeights(
    found.map(({ weight }) => weight),
    weightScale,
  )
  return found.map(({ port, target, priority, weight, additional }, index) => ({
    record: { type: 'SRV', name, ttl, priority, weight: weights[index] ?? 1, port, target },
    weight,
    priority,
    additional,
  }))
}

/** The same records for the same target: several ports of one address have it in common. */
function addressBook(ttl: number): (target: string, addresses: readonly string[]) => readonly DnsRecord[] {
  const known = new Map<string, readonly DnsRecord[]>()
  return (target, addresses) => {
    const records =
      known.get(target) ?? Array.from(new Set(addresses), address => addressRecord(target, address, ttl))
    known.set(target, records)
    return records
  }
}

/** A record for each instance. */
export function txtAnswers({ name, ttl }: Heading, candidates: readonly Candidate[]): readonly Answer[] {
  return candidates.map(({ instance, weight }) => ({
    record: { type: 'TXT', name, ttl, texts: textsOf(instance) },
    weight,
    priority: priorityOf(instance),
    additional: [],
  }))
}
