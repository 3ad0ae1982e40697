/** What a record says, by its type. Names are absolute and without the last dot: `order.portolan`; '' is the root. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  /** RFC 2782. Each number is 0 to 65535. */
  | {
      readonly type: 'SRV'
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }
  /** Strings of at most 255 bytes of UTF-8 each. */
  | { readonly type: 'TXT'; readonly texts: readonly string[] }
  | { readonly type: 'PTR' | 'NS'; readonly target: string }
  /** What ANY is answered with (RFC 8482 section 4.2): `RFC8482` and ``. */
  | { readonly type: 'HINFO'; readonly cpu: string; readonly os: string }
  /** All times in seconds. */
  | {
      readonly type: 'SOA'
      readonly primary: string
      readonly mailbox: string
      readonly serial: number
      readonly refresh: number
      readonly retry: number
      readonly expire: number
      readonly minimum: number
    }

export type DnsRecord = RecordData & {
  readonly name: string
  /** Seconds. */
  readonly ttl: number
}
