/** A way in which we and dns-packet read a query differently, and why that is well. */
export interface DnsDisagreement {
  readonly what: string
  readonly why: string
}

/** All that are known: docs/dns.md shows them, and another one fails the fuzzers. */
export const dnsDisagreements: readonly DnsDisagreement[] = [
  {
    what: 'we refuse, dns-packet reads: opcode',
    why: 'It reads updates and notifications as if they were queries. We answer NOTIMP.',
  },
  {
    what: 'we refuse, dns-packet reads: questions',
    why: 'None, or several: a query has one (RFC 9619). Which response code would be whose?',
  },
  {
    what: 'we refuse, dns-packet reads: question',
    why: 'A name with a pointer into the header, whose bytes say something else. Nothing stands before the question that it could point to.',
  },
  {
    what: 'we refuse, dns-packet reads: record',
    why: 'A record that ends behind the message: dns-packet cuts its data off, or does not look at its length. Or a name that points into the header.',
  },
  {
    what: 'we refuse, dns-packet reads: opt',
    why: 'More than one OPT record, one that is not the root’s, or one that is no additional record (RFC 6891 section 6.1.1).',
  },
  {
    what: 'we refuse, dns-packet reads: version',
    why: 'EDNS versions above 0 get BADVERS (RFC 6891 section 6.1.3).',
  },
  {
    what: 'we refuse, dns-packet reads: option',
    why: 'An option that is longer than its record: dns-packet reads on in what follows.',
  },
  {
    what: 'we refuse, dns-packet reads: cookie',
    why: 'A cookie of a length that none has (RFC 7873 section 5.2.2).',
  },
  {
    what: 'we read, dns-packet refuses: a name in a record',
    why: 'We follow no pointers in records that mean nothing to us, and look at no names in their data: whoever sends many does not make us work for it.',
  },
  {
    what: 'we read, dns-packet refuses: the data of a record or an option',
    why: 'Nor do we look at other data than cookies: an address of three bytes in a query says nothing, and neither does one of sixteen.',
  },
  {
    what: 'we read it otherwise: records of other lengths',
    why: 'Behind an A record whose data are not four bytes dns-packet goes on at the wrong place, and misses an OPT record or finds one that is none.',
  },
]

const names = new Set(dnsDisagreements.map(({ what }) => what))

/** @throws Error for a disagreement that nobody has explained yet */
export function knownInDns(what: string): string {
  if (!names.has(what)) throw new Error(`an unknown disagreement about queries: ${what}`)
  return what
}
