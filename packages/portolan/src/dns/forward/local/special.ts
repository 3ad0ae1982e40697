import { types } from '../../codec/codes.ts'
import type { DnsRecord } from '../../codec/record.ts'
import { machineZones, privateZones, specialDomains } from './zones.ts'

/** What we answer by ourselves. */
export interface LocalAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED'
  readonly authoritative: boolean
  readonly answers: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
}

/** What answers of our own depend on. */
export interface LocalRules {
  /** Whether private networks are among those names: a resolver inside such a network may know its names. */
  readonly privateToo: boolean
  /** Seconds that a reverse name may be denied for: an instance may have that address a moment later. */
  readonly negativeTtl: number
}

/** RFC 6303 section 3, its three hours among it. */
const zoneSeconds = 10_800
const mailbox = 'nobody.invalid'

/** The names that exist in these zones, by what they are. */
const localhost = 'localhost'
const reverseOfLoopback = new Set(['1.0.0.127.in-addr.arpa', `1.${'0.'.repeat(31)}ip6.arpa`])

/**
 * Answers to names that mean nothing outside this machine or this network, and that no resolver should be bothered with:
 * `localhost`, `invalid`, `test` (RFC 6761), `local` (RFC 6762), `onion` (RFC 7686), and the reverse names of addresses
 * that many have (RFC 6303, RFC 7793).
 * @param name lower case, without the last dot
 */
export function specialAnswer(
  name: string,
  type: number,
  { privateToo, negativeTtl }: LocalRules,
): LocalAnswer | undefined {
  const zone = zoneOf(name, privateToo)
  if (zone === undefined) return undefined
  const soa = soaOf(zone, specialDomains.has(zone) ? zoneSeconds : negativeTtl)
  if (zone === localhost)
    return found(
      soa,
      addressesOf(name).filter(record => types[record.type] === type),
    )
  if (reverseOfLoopback.has(name)) {
    const pointer: DnsRecord = { name, ttl: zoneSeconds, type: 'PTR', target: localhost }
    return found(soa, type === types.PTR ? [pointer] : [])
  }
  if (name === zone)
    return found(
      soa,
      [soa, nameserverOf(zone)].filter(record => types[record.type] === type),
    )
  // What exists only above other names has no records, and is no name that does not exist (RFC 8020).
  for (const below of reverseOfLoopback) if (below.endsWith(`.${name}`)) return found(soa, [])
  return { rcode: 'NXDOMAIN', authoritative: true, answers: [], authority: [soa] }
}

/** The zone that a name is in: one of its endings. */
function zoneOf(name: string, privateToo: boolean): string | undefined {
  const top = name.slice(name.lastIndexOf('.') + 1)
  if (specialDomains.has(top)) return top
  if (top !== 'arpa') return undefined
  for (let at = 0; ; ) {
    const ending = name.slice(at)
    if (machineZones.has(ending) || (privateToo && privateZones.has(ending))) return ending
    const dot = name.indexOf('.', at)
    if (dot < 0) return undefined
    at = dot + 1
  }
}

function addressesOf(name: string): readonly DnsRecord[] {
  return [
    { name, ttl: zoneSeconds, type: 'A', address: '127.0.0.1' },
    { name, ttl: zoneSeconds, type: 'AAAA', address: '::1' },
  ]
}

function nameserverOf(zone: string): DnsRecord {
  return { name: zone, ttl: zoneSeconds, type: 'NS', target: zone }
}

/** Its TTL and its minimum are how long it denies other names (RFC 2308 section 5). */
function soaOf(zone: string, seconds: number): DnsRecord {
  return {
    name: zone,
    ttl: seconds,
    type: 'SOA',
    primary: zone,
    mailbox,
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: seconds,
  }
}

function found(soa: DnsRecord, answers: readonly DnsRecord[]): LocalAnswer {
  return {
    rcode: 'NOERROR',
    authoritative: true,
    answers,
    authority: answers.length > 0 ? [] : [soa],
  }
}
