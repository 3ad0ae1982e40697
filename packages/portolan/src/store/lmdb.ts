import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import { Checkpoint } from './checkpoint.ts'
import { checkDataFile, locate } from './data-file.ts'
import { GroupCommit } from './group-commit.ts'
import type { HistoryLimits } from './history.ts'
import { Journal, removeJournals, replay } from './journal.ts'
import { breach, continueLineage, corrupted, type Lineage, type Whereabouts } from './lineage.ts'
import { lockDirectory } from './lock.ts'
import { Memtable } from './memtable.ts'
import type { Store } from './store.ts'
import { openTree, type Tree } from './tree.ts'
import { Watchers } from './watchers.ts'

export interface LmdbStoreOptions {
  /** Made with mode 0700 where it is missing. */
  readonly directory: string
  readonly history?: HistoryLimits
  readonly log?: Log
  /** How far the data file's ctime may lie from the last recorded transaction. Default 30,000 ms. */
  readonly lineageToleranceMs?: number
  /** How long the tree waits for more before it follows the journal. Default 5,000 ms. */
  readonly checkpointDelayMs?: number
}

export interface LmdbStore extends Store {
  /** Resolves when everything that was acknowledged before the call would survive a power loss too. */
  flushed(): Promise<void>
}

/**
 * The embedded store, in a directory that one process owns: a write-ahead journal, and an LMDB tree behind it.
 *
 * A commit resolves when the journal has it in the page cache: it survives SIGKILL at any moment, and no commit waits
 * for the disk. A power loss may undo the last half second or so of what was not `flushed`, in whole commits and from
 * the end. The tree follows some seconds later, or some megabytes. Revisions grow over restarts, and a start jumps far ahead, so an undone revision never
 * comes back. The epoch stays, unless the tree is not the file that this store wrote last: another inode or birth, or
 * a ctime away from the last transaction means that it was deleted, or restored from a copy. A moved file system or a
 * clock that was set looks the same: that costs every client one snapshot, no more.
 *
 * The history for watchers is memory only: cursors from before this start are `store_compacted`.
 * @throws Fault `data_dir_locked`, `store_failed` (not a directory, no permission, damaged, or of a newer version)
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<LmdbStore> {
  const { directory, history, log, checkpointDelayMs } = options
  const file = join(directory, 'store.mdb')
  prepare(directory)
  const lock = lockDirectory(directory)
  let tree: Tree | undefined
  try {
    const before = locate(file)
    if (before !== undefined) checkDataFile(file)
    tree = openTree(file)
    const start = await begin(tree, file, before, options)
    const journal = new Journal(directory, start.epoch, start.revision)
    const checkpoint = new Checkpoint({ journal, tree, log, delayMs: checkpointDelayMs }, start)
    return storeOver({ tree, journal, checkpoint, start, release: lock.release }, history)
  } catch (error) {
    await tree?.close()
    lock.release()
    throw error instanceof Fault ? error : corrupted(file, error)
  }
}

interface Parts {
  readonly tree: Tree
  readonly journal: Journal
  readonly checkpoint: Checkpoint
  readonly start: Lineage
  readonly release: () => void
}

function storeOver({ tree, journal, checkpoint, start, release }: Parts, history?: HistoryLimits): LmdbStore {
  const watchers = new Watchers(start, history)
  const commits = new GroupCommit(checkpoint, watchers)
  let closing: Promise<void> | undefined

  const close = async () => {
    await commits.close()
    watchers.close()
    try {
      await checkpoint.close()
      journal.remove()
    } finally {
      journal.close()
      await tree.close()
      release()
    }
  }

  return {
    commit: commit => commits.commit(commit),
    read: prefix => commits.between(cursor => ({ cursor, entries: checkpoint.entriesUnder(prefix) })),
    watch: (prefix, from, signal) => watchers.watch(prefix, from, signal),
    flushed: () => journal.sync(),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** Judges whether the file is the one that was written last, and only then writes: the journal's rest, a new start. */
async function begin(
  tree: Tree,
  file: string,
  before: Whereabouts | undefined,
  { directory, lineageToleranceMs = 30_000, log }: LmdbStoreOptions,
): Promise<Lineage> {
  const written = tree.lineage()
  const now = before ?? locate(file)
  if (now === undefined) throw corrupted(file)
  const why = written && breach(written, now, lineageToleranceMs)
  if (why !== undefined) log?.warn({ file, last: written?.epoch }, `a new epoch: ${why}`)
  const last = written && (await recover(tree, directory, written))
  const fresh = last === undefined || why !== undefined ? randomBytes(8).toString('hex') : undefined
  const { device, inode, born } = now
  const start = { ...continueLineage(last, fresh), at: Date.now(), device, inode, born }
  await tree.write([], start)
  removeJournals(directory)
  return start
}

/** Brings the tree to the end of the journal that a killed server left. */
async function recover(tree: Tree, directory: string, written: Lineage): Promise<Lineage> {
  let last = written
  for (const changes of replay(directory, written.epoch, written.revision)) {
    const table = new Memtable()
    for (const change of changes) table.add(change)
    last = { ...last, revision: table.revision, at: Date.now() }
    await tree.write(table.sorted(), last)
  }
  return last
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
