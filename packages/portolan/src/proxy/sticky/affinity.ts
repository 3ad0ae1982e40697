import type { AffinitySettings, Endpoint } from '@portolan/core'
import type { RequestHead } from '../codec/codec.ts'
import { findCookie } from '../cookies.ts'
import { Seal, sealLength, tokenIn } from './seal.ts'
import { type Seat, type Seats, Stay, type StayCounts } from './stay.ts'

/** Cookies say no more than this: quotes around a seal. */
const longest = sealLength + 2

/**
 * Holds the clients of one service to the instance that answered them first, by a cookie. Tokens are worked out when an
 * instance comes, and its signature when it is first needed, so that a request costs a walk over its cookies and a look into a
 * map. (That look takes its time by a hash that the runtime seeds at random: it tells nobody how much of a guess was right.)
 */
export class Affinity implements Seats {
  readonly counts: StayCounts
  readonly #cookie: Cookie
  /** The first signs. */
  readonly #seals: readonly Seal[]
  readonly #byId = new Map<string, NamedSeat>()
  readonly #byToken = new Map<string, NamedSeat>()
  /** What cookies have said so far that was right. */
  readonly #byValue = new Map<string, NamedSeat>()
  /** The first value that `#isKnown` was asked about. */
  #first: string | undefined
  #updates = 0

  constructor(cookie: Cookie, seals: readonly [Seal, ...Seal[]], counts: StayCounts) {
    this.#cookie = cookie
    this.#seals = seals
    this.counts = counts
  }

  /** A new set: who has come can be named from now on, and who is gone no more. */
  update(endpoints: readonly Endpoint[]): void {
    this.#updates++
    for (const endpoint of endpoints) {
      const seat = this.#byId.get(endpoint.id) ?? this.#add(endpoint)
      seat.endpoint = endpoint
      seat.updatedBy = this.#updates
    }
    if (this.#byId.size === endpoints.length) return
    for (const seat of this.#byId.values()) if (seat.updatedBy !== this.#updates) this.#remove(seat)
  }

  /** Reads the cookie of a request that has just come. Of several of that name, one that names somebody counts. */
  begin(bytes: Uint8Array, head: RequestHead): Stay {
    this.#first = undefined
    const found = findCookie(bytes, head, this.#cookie.name, this.#isKnown) ?? this.#first
    return new Stay(this, found === undefined ? undefined : unquoted(found))
  }

  named(value: string): Seat | undefined {
    return this.#byValue.get(value) ?? this.#proven(value)
  }

  seatOf({ id }: Endpoint): Seat | undefined {
    return this.#byId.get(id)
  }

  isSigned(value: string): boolean {
    return this.#seals.some(seal => seal.isOn(value))
  }

  readonly #isKnown = (value: string): boolean => {
    this.#first ??= value.length > longest ? '' : value
    return this.named(unquoted(value)) !== undefined
  }

  #proven(value: string): Seat | undefined {
    const token = tokenIn(value)
    const seat = token === undefined ? undefined : this.#byToken.get(token)
    if (seat === undefined || !this.isSigned(value)) return undefined
    seat.proven.push(value)
    this.#byValue.set(value, seat)
    return seat
  }

  #add(endpoint: Endpoint): NamedSeat {
    const tokens = this.#seals.map(seal => seal.tokenOf(endpoint.id))
    const seat = new NamedSeat(
      endpoint,
      tokens,
      () => this.#seals[0]?.sign(tokens[0] ?? '') ?? '',
      this.#cookie,
    )
    this.#byId.set(endpoint.id, seat)
    for (const token of tokens) this.#byToken.set(token, seat)
    return seat
  }

  #remove({ endpoint, tokens, proven }: NamedSeat): void {
    this.#byId.delete(endpoint.id)
    for (const token of tokens) this.#byToken.delete(token)
    for (const value of proven) this.#byValue.delete(value)
  }
}

class NamedSeat implements Seat {
  endpoint: Endpoint
  /** The number of the last update that had it. */
  updatedBy = 0
  /** By each of the seals. */
  readonly tokens: readonly string[]
  /** Right values that cookies came with: one a seal at most. */
  readonly proven: string[] = []
  readonly #sign: () => string
  readonly #cookie: Cookie
  #value: string | undefined
  #line: string | undefined

  constructor(endpoint: Endpoint, tokens: readonly string[], sign: () => string, cookie: Cookie) {
    this.endpoint = endpoint
    this.tokens = tokens
    this.#sign = sign
    this.#cookie = cookie
  }

  get value(): string {
    this.#value ??= this.#sign()
    return this.#value
  }

  get line(): string {
    this.#line ??= `Set-Cookie: ${this.#cookie.name}=${this.value}${this.#cookie.attributes}\r\n`
    return this.#line
  }
}

/** A cookie's name, and what follows its value. */
interface Cookie {
  readonly name: string
  readonly attributes: string
}

/**
 * The affinity that the settings ask for. A newer registry may say what this gateway does not know: where that is no cookie
 * that could be issued, there is none.
 * @param ownKey signs where the settings bring no key
 */
export function affinityBy(
  settings: AffinitySettings,
  ownKey: string,
  counts: StayCounts,
): Affinity | undefined {
  const cookie = cookieOf(settings)
  if (cookie === undefined) return undefined
  const [first = ownKey, ...older] = usableKeys(settings.keys)
  const sealBy = (key: string): Seal => new Seal(Buffer.from(key, 'base64url'))
  return new Affinity(cookie, [sealBy(first), ...older.map(sealBy)], counts)
}

const namePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const pathPattern = /^\/[!-:<-~]*$/
const domainPattern = /^[0-9A-Za-z.-]{1,253}$/
const keyPattern = /^[A-Za-z0-9_-]{22,}$/
const sameSites: Readonly<Record<string, string>> = { lax: 'Lax', strict: 'Strict', none: 'None' }

function cookieOf(settings: AffinitySettings): Cookie | undefined {
  const { cookie, maxAgeMs, path = '/', domain, sameSite = 'lax', secure } = settings
  if (!isText(cookie, namePattern) || !isText(path, pathPattern)) return undefined
  if (domain !== undefined && !isText(domain, domainPattern)) return undefined
  const isLasting = typeof maxAgeMs === 'number' && maxAgeMs > 0
  const attributes = [
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    ...(isLasting ? [`Max-Age=${Math.ceil(maxAgeMs / 1000)}`] : []),
    'HttpOnly',
    `SameSite=${(Object.hasOwn(sameSites, sameSite) ? sameSites[sameSite] : undefined) ?? 'Lax'}`,
    ...(secure === true ? ['Secure'] : []),
  ]
  return { name: cookie, attributes: attributes.map(attribute => `; ${attribute}`).join('') }
}

function usableKeys(keys: unknown): readonly string[] {
  return Array.isArray(keys) ? keys.filter((key): key is string => isText(key, keyPattern)) : []
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

/** Some clients put quotes around values: they are no part of them (RFC 6265 section 4.1.1). */
function unquoted(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  return isQuoted ? value.slice(1, -1) : value
}
