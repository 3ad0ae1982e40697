import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const tokenBytes = 12
const signatureBytes = 16
/** Characters of a token, of a signature, and of the two with a dot between. */
const tokenLength = (tokenBytes * 4) / 3
const signatureLength = Math.ceil((signatureBytes * 4) / 3)
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

  of(id: string): string {
    const token = this.#hash('instance', id, tokenBytes)
    return `${token}.${this.#hash('cookie', token, signatureBytes)}`
  }

  /** Whether it was signed with this key, in constant time. */
  isOn(value: string): boolean {
    if (value.length !== sealLength || value[tokenLength] !== '.') return false
    const given = Buffer.from(value.slice(tokenLength + 1))
    const signature = this.#hash('cookie', value.slice(0, tokenLength), signatureBytes)
    return given.length === signatureLength && timingSafeEqual(given, Buffer.from(signature))
  }

  #hash(about: 'instance' | 'cookie', text: string, bytes: number): string {
    const digest = createHmac('sha256', this.#key).update(`${about}\0${text}`).digest()
    return digest.subarray(0, bytes).toString('base64url')
  }
}

/** The key of a gateway that is told none: good there, until it ends. */
export function newSealKey(): string {
  return randomBytes(32).toString('base64url')
}
