import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '@portolan/core'
import { open, type RootDatabase } from 'lmdb'
import type { Log } from '../observe/log.ts'
import { checkDataFile, locate } from './data-file.ts'
import { GroupCommit, type Ledger } from './group-commit.ts'
import type { HistoryLimits } from './history.ts'
import {
  breach,
  continueLineage,
  corrupted,
  decodeLineage,
  encodeLineage,
  type Lineage,
  type Whereabouts,
} from './lineage.ts'
import { bootId, lockDirectory } from './lock.ts'
import type { Entry, Store } from './store.ts'
import { Watchers } from './watchers.ts'

export interface LmdbStoreOptions {
  /** Made with mode 0700 where it is missing. */
  readonly directory: string
  readonly history?: HistoryLimits
  readonly log?: Log
  /** How far the data file's ctime may lie from the last recorded transaction. Default 30,000 ms. */
  readonly lineageToleranceMs?: number
}

export interface LmdbStore extends Store {
  /** Resolves when everything that was committed before the call would survive a power loss too. */
  flushed(): Promise<void>
}

type Database = RootDatabase<string, string | number>

/** Numbers sort before strings, so this key is outside every reading. */
const lineageKey = 0

/**
 * The embedded store: one LMDB file in a directory that one process owns.
 *
 * A commit resolves when its transaction is in the page cache: it survives SIGKILL at any moment. The disk follows a
 * flush later; a power loss rolls back to the last flush, whole. Revisions grow over restarts, and a start jumps far
 * ahead, so an undone revision never comes back. The epoch stays, unless the file is not the one that this store
 * wrote last: another inode or birth, or a ctime away from the last transaction means that it was deleted, or restored from a
 * copy. A moved file system or a clock that was set looks the same: that costs every client one snapshot, no more.
 *
 * The history for watchers is memory only: cursors from before this start are `store_compacted`.
 * @throws Fault `data_dir_locked`, `store_failed` (not a directory, no permission, damaged, or of a newer version)
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  const { directory } = options
  const file = join(directory, 'store.mdb')
  prepare(directory)
  const lock = lockDirectory(directory)
  let database: Database | undefined
  try {
    const before = locate(file)
    if (before !== undefined) checkDataFile(file)
    database = openDatabase(file)
    const start = begin(database, file, before, options)
    return storeOver(database, start, options.history, lock.release)
  } catch (error) {
    await database?.close()
    lock.release()
    throw error instanceof Fault ? error : corrupted(file, error)
  }
}

function storeOver(
  database: Database,
  start: Lineage,
  history: HistoryLimits | undefined,
  release: () => void,
): LmdbStore {
  const watchers = new Watchers(start, history)
  const commits = new GroupCommit(ledgerOver(database, start), watchers)
  let closing: Promise<void> | undefined

  const close = async () => {
    await commits.close()
    watchers.close()
    try {
      const { revision } = watchers.cursor
      await settled(database.put(lineageKey, encodeLineage({ ...start, revision, at: Date.now() })))
    } finally {
      await database.flushed
      await database.close()
      release()
    }
  }

  return {
    commit: commit => commits.commit(commit),
    read: prefix => commits.between(cursor => ({ cursor, entries: entriesUnder(database, prefix) })),
    watch: (prefix, from, signal) => watchers.watch(prefix, from, signal),
    flushed: async () => {
      await commits.between(() => undefined)
      await database.flushed
    },
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function ledgerOver(database: Database, start: Lineage): Ledger {
  return {
    revisionOf: key => revisionIn(database.get(key)),
    newest: () => decodeLineage(database.get(lineageKey) ?? '', 'store.mdb').revision,
    async write(changes) {
      const revision = changes.at(-1)?.revision ?? start.revision
      // Inside a batch the single writes' promises say nothing: the batch's own tells for all of them.
      const writing = database.batch(() => {
        for (const change of changes) {
          for (const { key, value } of change.events) {
            if (value === undefined) void database.remove(key)
            else void database.put(key, `${change.revision} ${value}`)
          }
        }
        void database.put(lineageKey, encodeLineage({ ...start, revision, at: Date.now() }))
      })
      await settled(writing)
    },
  }
}

/** A failed commit's reason comes as a second promise, which nobody else would ever look at. */
async function settled(writing: Promise<boolean>): Promise<void> {
  try {
    await writing
  } catch (error) {
    await (error as { readonly commitError?: Promise<unknown> }).commitError
    throw error
  }
}

function entriesUnder(database: Database, prefix: string): readonly Entry[] {
  const entries: Entry[] = []
  for (const { key, value } of database.getRange({ start: prefix === '' ? ' ' : prefix })) {
    if (typeof key !== 'string' || !key.startsWith(prefix)) break
    entries.push({ key, value: value.slice(value.indexOf(' ') + 1), revision: revisionIn(value) })
  }
  return entries
}

function revisionIn(stored: string | undefined): number {
  return stored === undefined ? 0 : Number.parseInt(stored, 10)
}

function openDatabase(file: string): Database {
  return open<string, string | number>({
    path: file,
    noSubdir: true,
    encoding: 'string',
    // The overlapping sync tells a SIGKILL from a power loss by the boot id. Without one it would roll back both.
    overlappingSync: bootId() !== undefined,
    mapSize: 1_073_741_824,
  })
}

/** Judges whether the file is the one that was written last, and only then writes. */
function begin(
  database: Database,
  file: string,
  before: Whereabouts | undefined,
  { lineageToleranceMs = 30_000, log }: LmdbStoreOptions,
): Lineage {
  const stored = database.get(lineageKey)
  const last = stored === undefined ? undefined : decodeLineage(stored, file)
  const now = before ?? locate(file)
  if (now === undefined) throw corrupted(file)
  const why = last && breach(last, now, lineageToleranceMs)
  if (last !== undefined && why !== undefined) log?.warn({ file, last: last.epoch }, `a new epoch: ${why}`)
  const fresh = last === undefined || why !== undefined ? randomBytes(8).toString('hex') : undefined
  const { device, inode, born } = now
  const start = { ...continueLineage(last, fresh), at: Date.now(), device, inode, born }
  database.putSync(lineageKey, encodeLineage(start))
  return start
}

function prepare(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    if ((statSync(directory).mode & 0o077) !== 0) chmodSync(directory, 0o700)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const wrong = reasons[code]
    throw new Fault('store_failed', `${directory}: ${wrong?.[0] ?? message}`, {
      source: 'caller',
      cause: error,
      hint: wrong?.[1] ?? 'give the server another data directory',
    })
  }
}

const reasons: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  EEXIST: ['not a directory', 'move the file away, or give the server another data directory'],
  ENOTDIR: ['not a directory', 'move the file away, or give the server another data directory'],
  EACCES: ['no permission', 'let the user that runs the server own the directory'],
  EPERM: ['no permission', 'let the user that runs the server own the directory'],
  EROFS: ['a read-only file system', 'give the server a data directory that it can write'],
}
