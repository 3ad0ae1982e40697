import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** In characters of base64url, six bits each. */
const tokenLength = 16
const signatureLength = 22
export const sealLength = tokenLength + 1 + signatureLength

/**
 * What cookies say under one key: `TOKEN.SIGNATURE`. The token stands for an instance by a keyed hash of its id, so that it
 * tells nobody who that is, not even whoever guesses ids; the signature is a keyed hash of the token.
 *
 * The token alone could not be forged either. The signature is there so that a cookie whose instance has gone can be told
 * from one that is not ours: the former is an ordinary day, the latter a second secret, or an application that uses the
 * cookie's name.
 */
export class Seal {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  tokenOf(id: string): string {
    return this.#hash('instance', id).slice(0, tokenLength)
  }

  /** The whole of what a cookie says. */
  sign(token: string): string {
    return `${token}.${this.#hash('cookie', token).slice(0, signatureLength)}`
  }

  /** Whether it was signed with this key, in constant time. */
  isOn(value: string): boolean {
    const token = tokenIn(value)
    if (token === undefined) return false
    const [given, right] = [Buffer.from(value), Buffer.from(this.sign(token))]
    return given.length === right.length && timingSafeEqual(given, right)
  }

  #hash(about: 'instance' | 'cookie', text: string): string {
    return createHmac('sha256', this.#key).update(`${about}\0${text}`).digest('base64url')
  }
}

/** The token of what may be a seal; `undefined`: it is none, by its form. */
export function tokenIn(value: string): string | undefined {
  return value.length === sealLength && value[tokenLength] === '.' ? value.slice(0, tokenLength) : undefined
}

/** The key of a gateway that is told none: good there, until it ends. */
export function newSealKey(): string {
  return randomBytes(32).toString('base64url')
}
