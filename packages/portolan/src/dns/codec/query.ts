import type { Rcode } from './codes.ts'

/** What a client's message asks (RFC 1035 section 4.1, RFC 6891 section 6.1). */
export interface Query {
  readonly id: number
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  /**
   * The asked name in lower case (ASCII alone), without the last dot; '' = the root. A byte that is a dot, a backslash
   * or no visible ASCII character is written `\DDD`, so that each dot stands between two labels.
   */
  readonly name: string
  readonly type: number
  readonly class: number
  /**
   * The question as it was asked, name, type and class, its case kept (0x20): what the reply repeats, byte for byte. A
   * part of the message that was read, no copy.
   */
  readonly question: Uint8Array
  /** Undefined: without an OPT record. */
  readonly edns: Edns | undefined
}

export interface Edns {
  /** The largest UDP answer that the client takes, in bytes; at least 512, whatever it said (RFC 6891 section 6.2.3). */
  readonly size: number
  readonly dnssecOk: boolean
  /** The data of option 10 (RFC 7873), 8 or 16 to 40 bytes: any other length is FORMERR. No copy. */
  readonly cookie: Uint8Array | undefined
}

/**
 * What is wrong with a message: an opcode other than QUERY; not one question; a question, or a record behind it, that
 * can't be read; an OPT record that is not the only one, or not where it belongs; its version, one of its options, or
 * the length of its cookie.
 */
export type Flaw = 'opcode' | 'questions' | 'question' | 'record' | 'opt' | 'version' | 'option' | 'cookie'

/** Why a message is answered without being understood, as far as it was read. */
export interface Unreadable {
  readonly rcode: Extract<Rcode, 'FORMERR' | 'NOTIMP' | 'BADVERS'>
  readonly flaw: Flaw
  readonly id: number
  readonly opcode: number
  readonly recursionDesired: boolean
  /** Absent where it could not be read. */
  readonly question: Uint8Array | undefined
  /** Whether the reply needs an OPT record. */
  readonly edns: boolean
}

/** `dropped`: shorter than a header, or an answer itself; whoever answers those can be set upon himself or others. */
export type QueryReading = Query | Unreadable | 'dropped'
