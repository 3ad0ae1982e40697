import { randomBytes } from 'node:crypto'
import type { Clock } from '@portolan/core'
import type { Query } from '../codec/query.ts'
import { Clients } from './clients.ts'
import { readNetworks } from './networks.ts'
import { ResponseRate, type ResponseRateRules, responseRateDefaults } from './response-rate.ts'
import { type CookieProof, ServerCookies, secretLength } from './server-cookies.ts'
import type { Outside, Trust } from './trust.ts'

export interface ClientTrustOptions {
  /** IPs and CIDR blocks. */
  readonly trusted: readonly string[]
  readonly clock: Clock
  /** Milliseconds since 1970: cookies carry a time that others can read. */
  readonly wall?: () => number
  /** 16 bytes that make server cookies, and what did before. Default: random, so that cookies end with the process. */
  readonly secret?: Uint8Array
  readonly previousSecret?: Uint8Array
  readonly rate?: Partial<ResponseRateRules>
}

/** What became of queries from outside. */
export interface TrustCounts {
  /** Of those with a cookie: what that proved. */
  readonly cookies: Record<CookieProof, number>
  /** Of those that were too many: what was said to them. */
  readonly limited: Record<Exclude<Outside['verdict'], 'answer'>, number>
}

/** To a client that may be somebody else, an answer may be so many times as long as its question. */
const amplification = 10
/** DNS has no longer messages. */
const unlimited = 65_535

const proven: Outside = { verdict: 'answer', limit: unlimited }

/**
 * Decides by networks, cookies and rates whom to believe that it is there.
 *
 * A query whose server cookie is wrong is answered as if it had none, with a right one in the reply: RFC 7873 section 5.2.4
 * leaves the choice. Cookies become wrong by an honest restart of ours, and BADCOOKIE would cost every client a second
 * question then, while the limits below hold for whoever guesses. Beyond the rate, BADCOOKIE is what a client with a cookie
 * gets instead of TC, as BIND does: it is as small, and spares the client the way by TCP.
 */
export class ClientTrust implements Trust {
  readonly counts: TrustCounts = {
    cookies: { 'client-only': 0, valid: 0, wrong: 0 },
    limited: { 'bad-cookie': 0, drop: 0, slip: 0 },
  }
  readonly #clients: Clients
  readonly #cookies: ServerCookies
  readonly #rate: ResponseRate
  readonly #clock: Clock
  readonly #wall: () => number

  /** @throws Fault `config_invalid`: what is trusted can't be read */
  constructor({ trusted, clock, wall = Date.now, secret, previousSecret, rate }: ClientTrustOptions) {
    this.#clients = new Clients(readNetworks(trusted))
    this.#cookies = new ServerCookies(secret ?? randomBytes(secretLength), previousSecret)
    this.#rate = new ResponseRate({ ...responseRateDefaults, ...rate }, randomBytes(secretLength))
    this.#clock = clock
    this.#wall = wall
  }

  trusts(address: string): boolean {
    return this.#clients.at(address).trusted
  }

  judge(address: string, query: Pick<Query, 'edns'>, bytes: number): Outside {
    const client = this.#clients.at(address).bytes
    const cookie = query.edns?.cookie
    if (cookie !== undefined) {
      const proof = this.#cookies.check(cookie, client, this.#seconds())
      this.counts.cookies[proof]++
      if (proof === 'valid') return proven
    }
    const limit = Math.min(unlimited, amplification * bytes)
    const taken = this.#rate.take(client, this.#clock.now())
    if (taken === 'answer') return { verdict: 'answer', limit }
    const verdict = taken === 'slip' && cookie !== undefined ? 'bad-cookie' : taken
    this.counts.limited[verdict]++
    return { verdict, limit }
  }

  cookieFor(address: string, clientCookie: Uint8Array): Uint8Array {
    return this.#cookies.reply(clientCookie, this.#clients.at(address).bytes, this.#seconds())
  }

  /** Makes cookies by another secret of 16 bytes from now on; those by the present one stay good until the next time. */
  rotate(secret: Uint8Array): void {
    this.#cookies.rotate(secret)
  }

  #seconds(): number {
    return Math.floor(this.#wall() / 1000)
  }
}
