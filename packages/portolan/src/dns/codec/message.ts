import type { Rcode } from './codes.ts'
import type { DnsRecord } from './record.ts'

/** A message to be written (RFC 1035 section 4.1), and how large it may become. */
export interface Outgoing {
  readonly id: number
  /** As the query said it. Default 0. */
  readonly opcode?: number
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  readonly recursionAvailable: boolean
  readonly authoritative: boolean
  readonly rcode: Rcode
  /** As it came; absent where it could not be read. */
  readonly question: Uint8Array | undefined
  readonly answers: readonly DnsRecord[]
  readonly authority: readonly DnsRecord[]
  readonly additional: readonly DnsRecord[]
  /** TC even where nothing was left out: for a client that is to come back over TCP. Default false. */
  readonly truncated?: boolean
  /** Absent: without an OPT record, as the query was. */
  readonly edns?: OutgoingEdns
  /**
   * Bytes; never more than 65535. What does not fit is left out record by record: additional ones first, then those of
   * the authority section, without a word; then answers from the end, with TC. Header, question and OPT record are
   * there in any case: at most 326 bytes.
   */
  readonly limit: number
}

export interface OutgoingEdns {
  /** The largest UDP message that we take. */
  readonly size: number
  /** The whole of option 10: client cookie and server cookie. */
  readonly cookie?: Uint8Array
  /** As it was asked (RFC 3225 section 3). */
  readonly dnssecOk: boolean
}
