/** Response codes (RFC 1035 section 4.1.1, RFC 6891 section 9, RFC 7873 section 8). */
export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const

export type Rcode = keyof typeof rcodes

/** The types of records that we answer with, and those that we treat in a way of their own. */
export const types = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const

export const classes = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const
