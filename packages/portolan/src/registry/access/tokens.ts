import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Fault } from '@portolan/core'
import type { Grant } from './grants.ts'

/** Marks a token as ours, so that secret scanners and people recognise it. */
export const tokenPrefix = 'ptl_'

/** What is known of a token once it was handed out: never the secret itself. */
export interface Token {
  /** The first 16 hex digits of the hash: what lists show and `revoke` takes. */
  readonly id: string
  /** Becomes the owner of what is registered with it. Tokens of equal names are one owner. */
  readonly name: string
  readonly grants: readonly Grant[]
  /** SHA-256 of the secret, 64 hex digits. */
  readonly sha256: string
  /** ISO 8601 in UTC; absent = never. */
  readonly expires?: string
  /** Where it is kept: the configuration file (read-only here) or the store. */
  readonly from: 'config' | 'store'
  /** Where the configuration file names it: `portolan.yaml:7`. */
  readonly at?: string
}

/** 32 random bytes, base64url, with the prefix: 47 characters. */
export function newSecret(): string {
  return tokenPrefix + randomBytes(32).toString('base64url')
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

export function idOf(sha256: string): string {
  return sha256.slice(0, 16)
}

/** Compares two hex digests of 32 bytes in constant time. */
export function sameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, 'hex'), Buffer.from(other, 'hex')]
  return a.length === 32 && b.length === 32 && timingSafeEqual(a, b)
}

/** `now` in milliseconds since 1970. */
export function isExpired(token: Token, now: number): boolean {
  return token.expires !== undefined && Date.parse(token.expires) <= now
}

const keyPrefix = 'tokens/'

export const tokenKeys = keyPrefix

export function keyOf(sha256: string): string {
  return keyPrefix + sha256
}

/** The store's value of a token, with its format version inside. */
export function encodeToken(token: Token): string {
  const { name, grants, expires } = token
  return JSON.stringify({ v: 1, name, grants, ...(expires === undefined ? {} : { expires }) })
}

/** Reads what {@link encodeToken} wrote; `undefined` for a format that this version does not know. */
export function decodeToken(key: string, value: string): Token | undefined {
  const stored = JSON.parse(value) as { v: number } & Holder
  return stored.v === 1 ? tokenOf(key.slice(keyPrefix.length), stored) : undefined
}

type Holder = Pick<Token, 'name' | 'grants' | 'expires'>

/** A token of the store, by the hash of its secret. */
export function tokenOf(sha256: string, { name, grants, expires }: Holder): Token {
  return {
    id: idOf(sha256),
    name,
    grants,
    sha256,
    from: 'store',
    ...(expires === undefined ? {} : { expires }),
  }
}

const nameShape = /^[A-Za-z0-9._:/@-]{1,400}$/

/** The name that callers without a token go by, and no token may take. */
export const anonymousName = 'anonymous'

/** @throws Fault `invalid_request` */
export function checkTokenName(name: string): void {
  if (nameShape.test(name) && name !== anonymousName) return
  throw new Fault('invalid_request', `"${name.slice(0, 100)}" cannot be a token's name`, {
    source: 'caller',
    hint: `1 to 400 characters of A-Z a-z 0-9 . _ : / @ -, and not "${anonymousName}"`,
  })
}

/** @throws Fault `invalid_request` */
export function checkGrants(grants: readonly Grant[]): void {
  if (grants.length > 0 && grants.length <= 64 && grants.every(grant => grant.verbs.length > 0)) return
  throw new Fault('invalid_request', 'a token needs 1 to 64 grants, each with at least one verb', {
    source: 'caller',
    hint: 'for example {"verbs":["register"],"service":"order"}',
  })
}
