import type { Log } from '../observe/log.ts'
import { compareKeys } from './commit.ts'
import type { Ledger } from './group-commit.ts'
import type { Journal } from './journal.ts'
import type { Lineage } from './lineage.ts'
import type { Change, Entry } from './store.ts'
import type { Tree } from './tree.ts'

/** What is in the journal and not yet in the tree may grow to this many characters; then commits wait. */
const maxBacklog = 67_108_864

/** Changes a transaction: few enough that handing them over takes the event loop some milliseconds only. */
const maxChanges = 2_000

const defaultDelayMs = 250
const retryMs = 1_000

export interface CheckpointParts {
  readonly journal: Journal
  readonly tree: Tree
  readonly log: Log | undefined
  readonly delayMs: number | undefined
}

interface Newest {
  readonly revision: number
  readonly value: string | undefined
}

/**
 * The journal first, the tree behind it: a write resolves when the journal has it, and the tree follows in larger
 * transactions, so that no commit ever waits for the disk. The overlay holds what the tree has yet to get; a value
 * that was overwritten meanwhile never goes there, so the further the tree is behind, the less it has to do.
 */
export class Checkpoint implements Ledger {
  readonly #journal: Journal
  readonly #tree: Tree
  readonly #log: Log | undefined
  readonly #delayMs: number
  #lineage: Lineage
  #overlay = new Map<string, Newest>()
  #backlog: Change[] = []
  #backlogSize = 0
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #failure: unknown

  constructor({ journal, tree, log, delayMs }: CheckpointParts, lineage: Lineage) {
    this.#journal = journal
    this.#tree = tree
    this.#log = log
    this.#delayMs = delayMs ?? defaultDelayMs
    this.#lineage = lineage
  }

  revisionOf(key: string): number {
    const newest = this.#overlay.get(key)
    if (newest === undefined) return this.#tree.revisionOf(key)
    return newest.value === undefined ? 0 : newest.revision
  }

  async write(changes: readonly Change[]): Promise<void> {
    if (this.#backlogSize > maxBacklog) await this.#catchUp()
    await this.#journal.append(changes)
    for (const change of changes) {
      for (const { key, value } of change.events) {
        this.#overlay.set(key, { revision: change.revision, value })
        this.#backlogSize += key.length + (value?.length ?? 0)
      }
      this.#backlog.push(change)
    }
    this.#wait()
  }

  entriesUnder(prefix: string): Entry[] {
    const stored = this.#tree.entriesUnder(prefix)
    const newer = [...this.#overlay].filter(([key]) => key.startsWith(prefix))
    if (newer.length === 0) return stored
    const entries = new Map(stored.map(entry => [entry.key, entry]))
    for (const [key, { revision, value }] of newer) {
      if (value === undefined) entries.delete(key)
      else entries.set(key, { key, value, revision })
    }
    return [...entries.values()].sort((a, b) => compareKeys(a.key, b.key))
  }

  /** Brings the tree to the end of the journal and records that this store was closed. */
  async close(): Promise<void> {
    await this.#running
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#empty()
    await this.#tree.write([], { ...this.#lineage, at: Date.now() })
  }

  #start(): void {
    this.#running ??= this.#empty()
      .catch((error: unknown) => {
        this.#log?.error({ err: error }, 'the data file cannot be written: commits live in the journal alone')
      })
      .finally(() => {
        this.#running = undefined
        this.#timer = undefined
        if (this.#backlog.length > 0) this.#wait()
      })
  }

  #wait(): void {
    const delay = this.#failure === undefined ? this.#delayMs : retryMs
    this.#timer ??= setTimeout(() => this.#start(), delay)
  }

  /** Commits have come faster than the disk takes them: whoever writes now waits for it, and fails with it. */
  async #catchUp(): Promise<void> {
    clearTimeout(this.#timer)
    this.#start()
    await this.#running
    if (this.#backlogSize > maxBacklog) throw this.#failure
  }

  async #empty(): Promise<void> {
    while (this.#backlog.length > 0) {
      const taken = this.#backlog.slice(0, maxChanges)
      const revision = taken.at(-1)?.revision ?? this.#lineage.revision
      const lineage = { ...this.#lineage, revision, at: Date.now() }
      try {
        await this.#tree.write(
          taken.map(change => this.#stillNewest(change)),
          lineage,
        )
      } catch (error) {
        this.#failure = error
        throw error
      }
      this.#failure = undefined
      this.#lineage = lineage
      this.#backlog.splice(0, taken.length)
      this.#settle(taken)
      await this.#journal.forget(revision)
    }
  }

  #stillNewest({ revision, events }: Change): Change {
    return { revision, events: events.filter(({ key }) => this.#overlay.get(key)?.revision === revision) }
  }

  #settle(taken: readonly Change[]): void {
    for (const { revision, events } of taken) {
      for (const { key, value } of events) {
        this.#backlogSize -= key.length + (value?.length ?? 0)
        if (this.#overlay.get(key)?.revision === revision) this.#overlay.delete(key)
      }
    }
  }
}
