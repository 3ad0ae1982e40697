import { Fault } from '@portolan/core'
import type { Change, Commit } from './store.ts'

/** The longest key, in UTF-16 units: what every store can hold whatever the letters are. */
export const maxKeyLength = 480

/** The longest value, in UTF-16 units. */
export const maxValueLength = 1_048_576

/** The most keys that one commit may touch. */
export const maxKeysPerCommit = 1024

/**
 * What a commit changes, in the order of its puts, then its deletes. Deleting an absent key is an event too.
 * @throws Fault `invalid_request`: nothing in it, a key twice, or a key or value that no store can hold
 */
export function eventsOf(commit: Commit): Change['events'] {
  const put = commit.put ?? []
  const deleted = commit.delete ?? []
  const count = put.length + deleted.length
  if (count === 0) throw refused('a commit must put or delete something')
  if (count > maxKeysPerCommit) throw refused(`a commit touches ${maxKeysPerCommit} keys at most`)
  for (const { key, value } of put) checkEntry(key, value)
  for (const key of deleted) checkKey(key)
  for (const { key } of commit.if ?? []) checkKey(key)
  if (deleted.length === 0 && count === 1) return put
  const events = [...put, ...deleted.map(key => ({ key, value: undefined }))]
  if (new Set(events.map(event => event.key)).size < count) throw refused('a commit names a key once')
  return events
}

export function conflict(key: string, wanted: number, found: number): Fault {
  return new Fault('store_conflict', `${key}: ${describe(found)}, expected ${describe(wanted)}`, {
    source: 'caller',
    hint: 'read the key again and decide anew',
  })
}

export function closed(): Fault {
  return new Fault('store_closed', 'the store is closed', { source: 'caller' })
}

/** Compares as UTF-8 bytes do, which is by code point and not by UTF-16 unit. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for the code points above U+FFFF, so they go last. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}

function describe(revision: number): string {
  return revision === 0 ? 'absent' : `written at revision ${revision}`
}

// Control characters would give a key other neighbours in one store than in another.
const bad = /\p{Cc}|\p{Cs}/u

function checkKey(key: string): void {
  if (key.length === 0 || key.length > maxKeyLength) {
    throw refused(`a key has 1 to ${maxKeyLength} characters, this one ${key.length}`)
  }
  if (bad.test(key)) throw refused(`${JSON.stringify(key)}: a control character or half a letter in a key`)
}

function checkEntry(key: string, value: string): void {
  checkKey(key)
  if (value.length <= maxValueLength) return
  throw refused(`${key}: a value has ${maxValueLength} characters at most, this one ${value.length}`)
}

function refused(why: string): Fault {
  return new Fault('invalid_request', why, { source: 'caller' })
}
