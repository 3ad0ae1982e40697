import type { Query } from '../codec/query.ts'

/** What a client outside `dns.trusted` gets over UDP, where its address may be somebody else's. */
export interface Outside {
  /**
   * `slip`: an empty answer with TC, so that whoever is really there comes by TCP. `bad-cookie`: an empty BADCOOKIE with a
   * right cookie, so that it comes back with that.
   */
  readonly verdict: 'answer' | 'slip' | 'drop' | 'bad-cookie'
  /** Bytes of the largest answer: ten times the question without a valid server cookie, else 65,535. */
  readonly limit: number
}

/** Whom large and many answers over UDP may be sent to. */
export interface Trust {
  /** Whether it is within `dns.trusted`. Quick: it is asked for every message. */
  trusts(address: string): boolean
  /**
   * For all others, once a message. Takes of what that client may have.
   * @param bytes of the whole message
   */
  judge(address: string, query: Pick<Query, 'edns'>, bytes: number): Outside
  /**
   * What goes into the reply's option 10: the client's part and a server cookie (RFC 9018), of 24 bytes.
   * @param clientCookie option 10 of the query, as it came: a server cookie in it that is good for a while is repeated
   */
  cookieFor(address: string, clientCookie: Uint8Array): Uint8Array
}
