import { setTimeout } from 'node:timers/promises'
import { type Cursor, Fault } from '@portolan/core'
import type { Log } from '../../observe/log.ts'
import type { Change, Store } from '../../store/store.ts'
import { decodeToken, idOf, isExpired, sameHash, type Token, tokenKeys } from './tokens.ts'

const retryMs = 200

/** Every token in memory, fed by the store's watch alone, so that a token revoked on one node is void on all. */
export interface TokenBook {
  list(): readonly Token[]
  /** The token with this hash, unless it has expired by `now`. */
  find(sha256: string, now: number): Token | undefined
  /** Resolves when the book knows everything up to `revision`. */
  reached(revision: number): Promise<void>
  close(): Promise<void>
}

/**
 * Reads the tokens, then follows the store until `close`.
 * @param configured those that are not in the store, by id, as they are at each question
 */
export async function openTokenBook(
  store: Store,
  configured: ReadonlyMap<string, Token>,
  log: Log,
): Promise<TokenBook> {
  const stop = new AbortController()
  const stored = new Map<string, Token>()
  const waiting = new Set<{ readonly revision: number; readonly resolve: () => void }>()
  let known = 0

  let cursor = await load()
  const following = follow()

  async function load(): Promise<Cursor> {
    const reading = await store.read(tokenKeys)
    stored.clear()
    for (const entry of reading.entries) put(entry.key, entry.value)
    reach(reading.cursor.revision)
    return reading.cursor
  }

  async function follow(): Promise<void> {
    for (let lost = false; !stop.signal.aborted; lost = true) {
      try {
        if (lost) cursor = await load()
        for await (const change of store.watch(tokenKeys, cursor, stop.signal)) apply(change)
        return
      } catch (thrown) {
        if (stop.signal.aborted || (thrown instanceof Fault && thrown.code === 'store_closed')) return
        log.warn({ err: thrown }, 'tokens: the watch broke off, reading all of them anew')
        await setTimeout(retryMs, undefined, { ref: false, signal: stop.signal }).catch(() => undefined)
      }
    }
  }

  function apply(change: Change): void {
    for (const { key, value } of change.events) {
      if (value === undefined) stored.delete(idOf(key.slice(tokenKeys.length)))
      else put(key, value)
    }
    cursor = { epoch: cursor.epoch, revision: change.revision }
    reach(change.revision)
  }

  function put(key: string, value: string): void {
    const token = decodeToken(key, value)
    if (token === undefined) log.warn({ key }, 'tokens: a token of a newer format is not honoured')
    else stored.set(token.id, token)
  }

  function reach(revision: number): void {
    known = Math.max(known, revision)
    for (const waiter of waiting) {
      if (waiter.revision > known) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  }

  return {
    list: () => [...configured.values(), ...stored.values()],
    find(sha256, now) {
      // The id finds a candidate; only the constant-time comparison of the whole digest makes it the token.
      const token = configured.get(idOf(sha256)) ?? stored.get(idOf(sha256))
      if (token === undefined || !sameHash(token.sha256, sha256)) return undefined
      return isExpired(token, now) ? undefined : token
    },
    reached(revision) {
      if (revision <= known) return Promise.resolve()
      return new Promise(resolve => waiting.add({ revision, resolve }))
    },
    async close() {
      stop.abort()
      await following
      // Nobody is left waiting for a watch that has ended.
      for (const waiter of waiting) waiter.resolve()
      waiting.clear()
    },
  }
}
