import type { Rcode } from '../codec/codes.ts'
import type { DnsRecord } from '../codec/record.ts'
import type { Versioned } from '../directory/directory.ts'

/** What is to be answered to a question, before anybody knows how many bytes there are for it. */
export interface Reply {
  readonly rcode: Extract<Rcode, 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'NOTIMP'>
  readonly authoritative: boolean
  /** Drawn anew for every order in which they are sent; what does not fit is left out from the end, and TC is set. */
  readonly answers: readonly Answer[]
  readonly authority: readonly DnsRecord[]
  /** What the answer changes with: a reply that was made at another version must be made anew. */
  readonly source: Versioned
  /** Whose instances it names, the directory's where that may be anybody's: clients may pick them until its TTL is over. */
  readonly named?: Versioned
}

export interface Answer {
  readonly record: DnsRecord
  /** Its share of first places, greater than 0. Lower priorities (as for SRV) come before higher ones. */
  readonly weight: number
  readonly priority: number
  /** What goes along in the additional section, where there is room. */
  readonly additional: readonly DnsRecord[]
}
