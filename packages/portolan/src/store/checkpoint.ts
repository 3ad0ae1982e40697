import type { Log } from '../observe/log.ts'
import { compareKeys } from './commit.ts'
import type { Ledger } from './group-commit.ts'
import type { Journal } from './journal.ts'
import type { Lineage } from './lineage.ts'
import { Memtable } from './memtable.ts'
import type { Change, Entry } from './store.ts'
import type { Tree } from './tree.ts'

/** What is in the journal and not yet in the tree may grow to this many characters; then commits wait. */
const maxBacklog = 67_108_864

/** From here on the tree follows at once: what a start has to replay stays within a second. */
const eagerBacklog = 8_388_608

/** Keys a transaction: few enough that handing them over takes the event loop some milliseconds only. */
const maxKeys = 2_000

const defaultDelayMs = 5_000
const retryMs = 1_000

/** How much a power loss may undo that nobody asked to have flushed. */
const syncEveryMs = 250

export interface CheckpointParts {
  readonly journal: Journal
  readonly tree: Tree
  readonly log: Log | undefined
  readonly delayMs: number | undefined
}

/**
 * The journal first, the tree behind it: a write resolves when the journal has it, and the tree follows in larger
 * steps, so that no commit ever waits for the disk. `#young` is what was written since the last step began, `#old`
 * what the step under way takes to the tree. A value that was overwritten meanwhile never goes there, so the further
 * the tree is behind, the less it has to do.
 */
export class Checkpoint implements Ledger {
  readonly #journal: Journal
  readonly #tree: Tree
  readonly #log: Log | undefined
  readonly #delayMs: number
  #lineage: Lineage
  #young = new Memtable()
  #old = new Memtable()
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #syncTimer: NodeJS.Timeout | undefined
  #failure: unknown

  constructor({ journal, tree, log, delayMs }: CheckpointParts, lineage: Lineage) {
    this.#journal = journal
    this.#tree = tree
    this.#log = log
    this.#delayMs = delayMs ?? defaultDelayMs
    this.#lineage = lineage
  }

  revisionOf(key: string): number {
    const newest = this.#young.get(key) ?? this.#old.get(key)
    if (newest === undefined) return this.#tree.revisionOf(key)
    return newest.value === undefined ? 0 : newest.revision
  }

  async write(changes: readonly Change[]): Promise<void> {
    if (this.#backlog > maxBacklog) await this.#catchUp()
    await this.#journal.append(changes)
    for (const change of changes) this.#young.add(change)
    this.#syncTimer ??= setTimeout(() => this.#sync(), syncEveryMs)
    if (this.#young.size > eagerBacklog && this.#failure === undefined) this.#start()
    else this.#wait()
  }

  entriesUnder(prefix: string): Entry[] {
    const stored = this.#tree.entriesUnder(prefix)
    const newer = [...this.#old.under(prefix), ...this.#young.under(prefix)]
    if (newer.length === 0) return stored
    const entries = new Map(stored.map(entry => [entry.key, entry]))
    for (const { key, value, revision } of newer) {
      if (value === undefined) entries.delete(key)
      else entries.set(key, { key, value, revision })
    }
    return [...entries.values()].sort((a, b) => compareKeys(a.key, b.key))
  }

  /** Brings the tree to the end of the journal and records that this store was closed. */
  async close(): Promise<void> {
    await this.#running
    clearTimeout(this.#timer)
    clearTimeout(this.#syncTimer)
    await this.#empty()
    await this.#tree.write([], { ...this.#lineage, at: Date.now() })
  }

  get #backlog(): number {
    return this.#young.size + this.#old.size
  }

  /** What fails here fails again in the next step, which says so. */
  #sync(): void {
    this.#journal
      .sync()
      .catch(() => undefined)
      .finally(() => {
        this.#syncTimer = undefined
      })
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#running ??= this.#empty()
      .catch((error: unknown) => {
        this.#log?.error({ err: error }, 'the data file cannot be written: commits live in the journal alone')
      })
      .finally(() => {
        this.#running = undefined
        if (this.#backlog > 0) this.#wait()
      })
  }

  #wait(): void {
    const delay = this.#failure === undefined ? this.#delayMs : retryMs
    this.#timer ??= setTimeout(() => this.#start(), delay)
  }

  /** Commits have come faster than the disk takes them: whoever writes now waits for it, and fails with it. */
  async #catchUp(): Promise<void> {
    this.#start()
    await this.#running
    if (this.#backlog > maxBacklog) throw this.#failure
  }

  async #empty(): Promise<void> {
    while (this.#backlog > 0) {
      this.#old.merge(this.#young)
      this.#young = new Memtable()
      try {
        await this.#take(this.#old)
        this.#failure = undefined
      } catch (error) {
        this.#failure = error
        throw error
      }
      this.#old = new Memtable()
      await this.#journal.forget(this.#lineage.revision)
    }
  }

  /**
   * In the order of the keys, which are neighbours in the tree then: a page is written once for all that changes in
   * it. Until the last transaction the tree holds some keys that are newer than its revision. So the journal goes to
   * the disk first: whatever ends us on the way, the next start replays all of them.
   */
  async #take(table: Memtable): Promise<void> {
    await this.#journal.sync()
    const entries = table.sorted()
    for (let from = 0; from < entries.length; from += maxKeys) {
      const isLast = from + maxKeys >= entries.length
      const revision = isLast ? table.revision : this.#lineage.revision
      this.#lineage = { ...this.#lineage, revision, at: Date.now() }
      await this.#tree.write(entries.slice(from, from + maxKeys), this.#lineage)
    }
  }
}
