import { SipHash } from './siphash.ts'

/** What option 10 of a query proves: nothing (the client's part alone), that its client is there, or that it was not from us. */
export type CookieProof = 'client-only' | 'valid' | 'wrong'

export const secretLength = 16
const clientPart = 8
/** Where in option 10 the parts of the server cookie begin that are not always the same. */
const timeAt = clientPart + 4
const hashAt = timeAt + 4
const wholeLength = hashAt + 8
const version = 1
/** Seconds: how old a cookie may be, how far ahead of us its maker's clock, and when a new one is due (RFC 9018 section 4.3). */
const oldest = 3600
const furthestAhead = 300
const renewAfter = 1800

/**
 * The interoperable server cookies of RFC 9018: version 1, three reserved bytes, the time, and SipHash-2-4 over the client's
 * part, these eight bytes and the client's address. Nothing is kept of any client, and every server that knows the secret
 * knows the others' cookies.
 */
export class ServerCookies {
  #current: SipHash
  #previous: SipHash | undefined
  readonly #input = new Uint8Array(clientPart + 8 + 16)

  /**
   * @param secret 16 bytes
   * @param previous one that was in use before, whose cookies are good, too
   */
  constructor(secret: Uint8Array, previous?: Uint8Array) {
    this.#current = new SipHash(secret)
    this.#previous = previous === undefined ? undefined : new SipHash(previous)
  }

  /** Makes cookies by this secret from now on; those by the one before are good until the next turn (RFC 9018 section 5). */
  rotate(secret: Uint8Array): void {
    const next = new SipHash(secret)
    this.#previous = this.#current
    this.#current = next
  }

  /**
   * @param option the data of option 10, as it came
   * @param client the address, 4 or 16 bytes
   * @param now seconds since 1970
   */
  check(option: Uint8Array, client: Uint8Array, now: number): CookieProof {
    if (option.length <= clientPart) return 'client-only'
    if (!isTimely(option, now, oldest)) return 'wrong'
    const isOurs =
      this.#isBy(this.#current, option, client) ||
      (this.#previous !== undefined && this.#isBy(this.#previous, option, client))
    return isOurs ? 'valid' : 'wrong'
  }

  /** What the reply's option 10 is to say: the cookie that came, while that is good and no new one is due, else a fresh one. */
  reply(option: Uint8Array, client: Uint8Array, now: number): Uint8Array {
    if (isTimely(option, now, renewAfter) && this.#isBy(this.#current, option, client)) return option
    const made = Buffer.allocUnsafe(wholeLength)
    copy(option, made, 0, clientPart)
    made.writeUInt32BE(version << 24, clientPart)
    made.writeUInt32BE(now >>> 0, timeAt)
    this.#hash(this.#current, made, client)
    made.writeInt32LE(this.#current.low, hashAt)
    made.writeInt32LE(this.#current.high, hashAt + 4)
    return made
  }

  /** In constant time: it looks at all eight bytes, whichever differ. */
  #isBy(secret: SipHash, option: Uint8Array, client: Uint8Array): boolean {
    this.#hash(secret, option, client)
    let difference = 0
    for (let at = 0; at < 4; at++) {
      difference |= (option[hashAt + at] as number) ^ ((secret.low >>> (at * 8)) & 255)
      difference |= (option[hashAt + 4 + at] as number) ^ ((secret.high >>> (at * 8)) & 255)
    }
    return difference === 0
  }

  /** The reserved bytes are hashed as they are: whatever they will mean one day, they are not to be refused (section 4.2). */
  #hash(secret: SipHash, cookie: Uint8Array, client: Uint8Array): void {
    copy(cookie, this.#input, 0, hashAt)
    copy(client, this.#input, hashAt, client.length)
    secret.hash(this.#input, hashAt + client.length)
  }
}

/** For so few bytes, `set` would take longer to begin than this to end. */
function copy(from: Uint8Array, to: Uint8Array, at: number, length: number): void {
  for (let index = 0; index < length; index++) to[at + index] = from[index] as number
}

/** Whether it has the form of ours, and its time lies between `age` seconds ago and shortly ahead, as RFC 1982 counts. */
function isTimely(option: Uint8Array, now: number, age: number): boolean {
  if (option.length !== wholeLength || option[clientPart] !== version) return false
  let made = 0
  for (let at = timeAt; at < hashAt; at++) made = (made << 8) | (option[at] as number)
  const since = (now - made) | 0
  return since <= age && since >= -furthestAhead
}
