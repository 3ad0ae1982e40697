import type { AffinitySettings, Endpoint } from '@portolan/core'
import type { RequestHead } from '../codec/codec.ts'
import { findCookie } from '../cookies.ts'
import { Seal, sealLength } from './seal.ts'
import { type Seat, type Seats, Stay, type StayCounts } from './stay.ts'

/** Cookies say no more than this: quotes around a seal. */
const longest = sealLength + 2

/**
 * Holds the clients of one service to the instance that answered them first, by a cookie. What cookies may say is worked out
 * when an instance comes, so that a request costs a walk over its cookies and a look into a map. (That look takes its time
 * by a hash that the runtime seeds at random: it tells nobody how much of a guess was right.)
 */
export class Affinity implements Seats {
  readonly counts: StayCounts
  readonly #name: string
  readonly #attributes: string
  /** The first signs. */
  readonly #seals: readonly [Seal, ...Seal[]]
  readonly #byId = new Map<string, NamedSeat>()
  readonly #byValue = new Map<string, Seat>()
  /** The first value that `#isKnown` was asked about. */
  #first: string | undefined

  constructor({ cookie, attributes }: Cookie, seals: readonly [Seal, ...Seal[]], counts: StayCounts) {
    this.#name = cookie
    this.#attributes = attributes
    this.#seals = seals
    this.counts = counts
  }

  /** A new set: who has come can be named from now on, and who is gone no more. */
  update(endpoints: readonly Endpoint[]): void {
    const gone = new Set(this.#byId.keys())
    for (const endpoint of endpoints) {
      gone.delete(endpoint.id)
      const seat = this.#byId.get(endpoint.id)
      if (seat === undefined) this.#add(endpoint)
      else seat.endpoint = endpoint
    }
    for (const id of gone) this.#remove(id)
  }

  /** Reads the cookie of a request that has just come. Of several of that name, one that names somebody counts. */
  begin(bytes: Uint8Array, head: RequestHead): Stay {
    this.#first = undefined
    const found = findCookie(bytes, head, this.#name, this.#isKnown) ?? this.#first
    return new Stay(this, found === undefined ? undefined : unquoted(found))
  }

  named(value: string): Seat | undefined {
    return this.#byValue.get(value)
  }

  seatOf({ id }: Endpoint): Seat | undefined {
    return this.#byId.get(id)
  }

  isSigned(value: string): boolean {
    return this.#seals.some(seal => seal.isOn(value))
  }

  readonly #isKnown = (value: string): boolean => {
    this.#first ??= value.length > longest ? '' : value
    return this.#byValue.has(unquoted(value))
  }

  #add(endpoint: Endpoint): void {
    const values = this.#seals.map(seal => seal.of(endpoint.id))
    const value = values[0] ?? ''
    const line = `Set-Cookie: ${this.#name}=${value}${this.#attributes}\r\n`
    const seat = { endpoint, value, line, values }
    this.#byId.set(endpoint.id, seat)
    for (const one of values) this.#byValue.set(one, seat)
  }

  #remove(id: string): void {
    for (const value of this.#byId.get(id)?.values ?? []) this.#byValue.delete(value)
    this.#byId.delete(id)
  }
}

interface NamedSeat extends Seat {
  /** All that cookies may say which name it. */
  readonly values: readonly string[]
}

/** A cookie's name, and what follows its value. */
interface Cookie {
  readonly cookie: string
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
  return { cookie, attributes: attributes.map(attribute => `; ${attribute}`).join('') }
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
