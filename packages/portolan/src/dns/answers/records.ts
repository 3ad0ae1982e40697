import type { DnsRecord, RecordData } from '../codec/record.ts'
import type { Answer } from './reply.ts'

/** Where no share is anybody's due. */
export function plainAnswer(record: DnsRecord, additional: readonly DnsRecord[] = []): Answer {
  return { record, weight: 1, priority: 0, additional }
}

export function addressRecord(name: string, address: string, ttl: number): DnsRecord {
  return { type: familyOf(address), name, ttl, address }
}

export function familyOf(address: string): 'A' | 'AAAA' {
  return address.includes(':') ? 'AAAA' : 'A'
}

/** RFC 8482 section 4.2: who asks for everything learns that nobody is told everything. */
export function anyRecord(name: string, ttl: number): DnsRecord {
  return { type: 'HINFO', name, ttl, cpu: 'RFC8482', os: '' }
}

export interface SoaParts {
  /** The zone's own name. */
  readonly origin: string
  /** Our domain: who answers for the zone. */
  readonly domain: string
  readonly version: number
  readonly ttl: number
  /** How long "there is none" may be kept (RFC 2308 section 4). */
  readonly negativeTtl: number
}

/** There are no secondary servers: their times are only there because the record has them. */
export function soaRecord({ origin, domain, version, ttl, negativeTtl }: SoaParts): DnsRecord {
  return {
    type: 'SOA',
    name: origin,
    ttl,
    primary: nameserverOf(domain),
    mailbox: `hostmaster.${domain}`,
    serial: version % 2 ** 32,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: negativeTtl,
  } satisfies DnsRecord & RecordData
}

/** What SOA and NS records call this server. */
export function nameserverOf(domain: string): string {
  return `ns.${domain}`
}
