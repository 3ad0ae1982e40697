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
  options: SrvOptions,
): readonly Answer[] {
  const services = servicesOf(candidates, options, ttl)
  const weights = srvWeights(
    services.map(({ weight }) => weight),
    options.weightScale,
  )
  return services.map(({ port, target, priority, weight, additional }, index) => ({
    record: { type: 'SRV', name, ttl, priority, weight: weights[index] ?? 1, port, target },
    weight,
    priority,
    additional,
  }))
}

function servicesOf(
  candidates: readonly Candidate[],
  { domain, port: wanted }: SrvOptions,
  ttl: number,
): readonly Service[] {
  const found: Service[] = []
  const byAddress = new Map<string, Service>()
  const addressed = addressTargets(domain, ttl)
  for (const { instance, weight } of candidates) {
    const port = portOf(instance.ports, wanted)?.number
    const addresses = sayableAddresses(instance)
    const [address] = addresses
    if (port === undefined || address === undefined) continue
    const priority = priorityOf(instance)
    const target = ownTarget(instance, domain)
    if (target !== undefined) {
      const additional = addresses.map(text => addressRecord(target, text, ttl))
      found.push({ port, target, priority, weight, additional })
      continue
    }
    const key = `${priority} ${port} ${address}`
    const same = byAddress.get(key)
    if (same !== undefined) same.weight += weight
    else {
      const named = addressed(address)
      if (named === undefined) continue
      const { target: name, additional } = named
      // Spelled out: spreading costs a hundred times that, and there may be thousands.
      const service = { port, target: name, priority, weight, additional }
      byAddress.set(key, service)
      found.push(service)
    }
  }
  return found
}

/** Instances on one address have its name and its record in common. */
function addressTargets(
  domain: Domain,
  ttl: number,
): (address: string) => Pick<Service, 'target' | 'additional'> | undefined {
  const known = new Map<string, Pick<Service, 'target' | 'additional'>>()
  return address => {
    const before = known.get(address)
    if (before !== undefined) return before
    const target = addressName(address, domain)
    if (target === undefined) return undefined
    const made = { target, additional: [addressRecord(target, address, ttl)] }
    known.set(address, made)
    return made
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
