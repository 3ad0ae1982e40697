import type { Query } from '../codec/query.ts'

/** What a client outside `dns.trusted` gets over UDP, where its address may be somebody else's. */
export interface Outside {
  /** `slip`: an empty answer with TC, so that whoever is really there comes by TCP. */
  readonly verdict: 'answer' | 'slip' | 'drop' | 'bad-cookie'
  /** Bytes of the largest answer: ten times the question without a valid server cookie. */
  readonly limit: number
}

/** Whom large and many answers over UDP may be sent to. */
export interface Trust {
  /** Whether it is within `dns.trusted`. Quick: it is asked for every message. */
  trusts(address: string): boolean
  /** For all others. Takes of what that client may have. */
  judge(address: string, query: Query, bytes: number): Outside
  /** What goes into the reply's option 10: the client's part and a fresh server cookie (RFC 9018). */
  cookieFor(address: string, clientCookie: Uint8Array): Uint8Array
}
