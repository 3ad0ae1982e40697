import { Fault, type Unsubscribe } from '@portolan/core'
import type { Log } from '../../observe/log.ts'
import type { Store } from '../../store/store.ts'
import type { Principal } from '../registry.ts'
import { type Action, allGrants, allows, type Grant, readGrants } from './grants.ts'
import { openTokenBook, type TokenBook } from './token-book.ts'
import {
  anonymousName,
  checkGrants,
  checkTokenName,
  encodeToken,
  hashOf,
  idOf,
  keyOf,
  newSecret,
  type Token,
  tokenOf,
  tokenPrefix,
} from './tokens.ts'

/** Who somebody turned out to be. */
export interface Identity {
  readonly name: string
  readonly grants: readonly Grant[]
}

export interface MintRequest {
  readonly name: string
  readonly grants: readonly Grant[]
  /** ISO 8601; absent = the token never expires. */
  readonly expires?: string
  /** Revokes the earlier tokens of the same name in the same commit. Default false. */
  readonly replace?: boolean
}

export interface Minted {
  /** Shown this once and kept nowhere. */
  readonly secret: string
  readonly token: Token
}

/** Tokens: who may call, and what each may do. */
export interface Access {
  /**
   * Resolves when the token would survive SIGKILL; it is good at once.
   * @throws Fault `invalid_request`, `store_failed`
   */
  mint(request: MintRequest): Promise<Minted>
  /** Every token, those of the configuration file first. */
  list(): readonly Token[]
  /** @throws Fault `not_found`, `read_only` (it is in the configuration file) */
  revoke(id: string): Promise<void>
  /**
   * The identity behind a secret; without one, the anonymous caller as far as the server lets it in.
   * @throws Fault `unauthorized`
   */
  authenticate(secret: string | undefined): Identity
  readonly anonymous: Anonymous
  /** The tokens of the configuration are these from now on. */
  configure(tokens: readonly ConfiguredToken[]): void
  /** Calls `tell` after each {@link Access.configure}: a secret may have other rights than before. */
  onConfigured(tell: () => void): Unsubscribe
  close(): Promise<void>
}

/** What callers without a token may do. */
export type Anonymous = 'admin' | 'read' | 'none'

/** A token of the configuration file, which names its hash only. */
export interface ConfiguredToken {
  readonly name: string
  readonly sha256: string
  readonly grants: readonly Grant[]
  readonly expires?: string
  /** Where the file names it: `portolan.yaml:7`. */
  readonly at?: string
}

export interface AccessOptions {
  readonly store: Store
  readonly log: Log
  readonly anonymous: Anonymous
  readonly configured?: readonly ConfiguredToken[]
  /** Milliseconds since 1970. Default: the system's. */
  readonly wall?: () => number
}

/** Opens the tokens that the store and the configuration hold. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { store, anonymous, wall = Date.now } = options
  const configured = new Map<string, Token>()
  const listeners = new Set<() => void>()
  const configure = (tokens: readonly ConfiguredToken[]): void => {
    configured.clear()
    for (const token of tokens.map(fromConfig)) configured.set(token.id, token)
    for (const tell of listeners) tell()
  }
  configure(options.configured ?? [])
  const book = await openTokenBook(store, configured, options.log)

  return {
    anonymous,
    configure,
    onConfigured(tell) {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    list: () => book.list(),
    mint: request => mint(store, book, request),
    revoke: id => revoke(store, book, id),
    authenticate(secret) {
      if (secret === undefined) return anonymousIdentity(anonymous)
      const token = secret.startsWith(tokenPrefix) ? book.find(hashOf(secret), wall()) : undefined
      if (token === undefined) throw unknownToken()
      return token
    },
    close: () => book.close(),
  }
}

/**
 * Who acts, once `identity` may take `action`.
 * @throws Fault `forbidden`
 */
export function authorize(identity: Identity, action: Action): Principal {
  if (!allows(identity.grants, action)) throw forbidden(identity, action)
  return { name: identity.name, admin: allows(identity.grants, { ...action, verb: 'admin' }) }
}

function fromConfig(configured: ConfiguredToken): Token {
  const sha256 = configured.sha256.toLowerCase()
  return { ...configured, sha256, id: idOf(sha256), from: 'config' }
}

async function mint(store: Store, book: TokenBook, request: MintRequest): Promise<Minted> {
  checkTokenName(request.name)
  checkGrants(request.grants)
  const secret = newSecret()
  const sha256 = hashOf(secret)
  const token = tokenOf(sha256, request)
  const replaced = request.replace === true ? earlier(book, request.name) : []
  const key = keyOf(sha256)
  const revision = await store.commit({ put: [{ key, value: encodeToken(token) }], delete: replaced })
  await book.reached(revision)
  return { secret, token }
}

function earlier(book: TokenBook, name: string): string[] {
  const same = book.list().filter(token => token.name === name && token.from === 'store')
  return same.map(token => keyOf(token.sha256))
}

async function revoke(store: Store, book: TokenBook, id: string): Promise<void> {
  const token = book.list().find(token => token.id === id)
  if (token === undefined) {
    throw new Fault('not_found', `no token has the id ${id.slice(0, 64)}`, {
      source: 'caller',
      hint: 'GET /api/v1/tokens lists the ids',
    })
  }
  if (token.from === 'config') {
    throw new Fault(
      'read_only',
      `the token ${token.name} is declared in ${token.at ?? 'the configuration file'}`,
      {
        source: 'caller',
        hint: 'remove it from the file and reload',
      },
    )
  }
  await book.reached(await store.commit({ delete: [keyOf(token.sha256)] }))
}

function anonymousIdentity(anonymous: Anonymous): Identity {
  if (anonymous === 'none') {
    throw new Fault('unauthorized', 'this server answers callers with a token only', {
      source: 'caller',
      hint: 'send "Authorization: Bearer ptl_…"; `portolan token` makes one',
    })
  }
  return { name: anonymousName, grants: anonymous === 'admin' ? allGrants : readGrants }
}

function unknownToken(): Fault {
  return new Fault('unauthorized', 'the token is unknown, revoked or expired', {
    source: 'caller',
    hint: '`portolan token` lists and makes tokens',
  })
}

function forbidden(identity: Identity, action: Action): Fault {
  const at = [action.namespace, action.service, action.instance].join('/')
  return new Fault('forbidden', `${identity.name} may not ${action.verb} ${at}`, {
    source: 'caller',
    hint: `a token with the verb ${action.verb} for it is needed`,
  })
}
