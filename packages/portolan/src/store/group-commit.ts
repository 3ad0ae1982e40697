import { type Cursor, Fault } from '@portolan/core'
import { closed, conflict, eventsOf } from './commit.ts'
import type { Change, Commit } from './store.ts'
import type { Watchers } from './watchers.ts'

/** What lies beneath: one transaction at a time. */
export interface Ledger {
  /** The revision that wrote a key; 0 = absent. */
  revisionOf(key: string): number
  /** Writes all or nothing, and resolves when it would survive SIGKILL. */
  write(changes: readonly Change[]): Promise<void>
}

interface Waiting {
  readonly commit: Commit
  readonly events: Change['events']
  readonly resolve: (revision: number) => void
  readonly reject: (fault: Fault) => void
}

const maxBatch = 4096

/**
 * Puts commits that wait together into one transaction. Conditions are judged in the order of the calls, against
 * what is written and what goes before them in the same transaction; so nothing ever depends on a transaction that
 * may still fail. Readings run between two transactions: what they show is what watchers have been told.
 */
export class GroupCommit {
  readonly #ledger: Ledger
  readonly #watchers: Watchers
  #waiting: Waiting[] = []
  #readings: (() => void)[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor(ledger: Ledger, watchers: Watchers) {
    this.#ledger = ledger
    this.#watchers = watchers
  }

  commit(commit: Commit): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed())
      this.#waiting.push({ commit, events: eventsOf(commit), resolve, reject })
      this.#run()
    })
  }

  /** Calls `read` when no transaction is under way, with the cursor of what it will find. */
  between<T>(read: (cursor: Cursor) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed())
      this.#readings.push(() => {
        try {
          resolve(read(this.#watchers.cursor))
        } catch (error) {
          reject(failed('the data file cannot be read', error))
        }
      })
      this.#run()
    })
  }

  /** Refuses everything new and resolves when everything old is done. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #run(): void {
    this.#running ??= this.#work()
  }

  async #work(): Promise<void> {
    while (this.#waiting.length + this.#readings.length > 0) {
      // Whoever was just answered, and whatever lies in the sockets, gets a turn, so that it joins this transaction.
      await new Promise(setImmediate)
      for (const read of this.#readings.splice(0)) read()
      const batch = this.#waiting.splice(0, maxBatch)
      await this.#write(batch)
    }
    // In the same turn as the last look at the queues: what comes after it must find nobody at work.
    this.#running = undefined
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const accepted: Waiting[] = []
    const changes: Change[] = []
    const overlay = new Map<string, number>()
    let revision = this.#watchers.cursor.revision
    for (const waiting of batch) {
      const fault = this.#judge(waiting.commit, overlay)
      if (fault !== undefined) {
        waiting.reject(fault)
        continue
      }
      revision++
      for (const { key, value } of waiting.events) overlay.set(key, value === undefined ? 0 : revision)
      accepted.push(waiting)
      changes.push({ revision, events: waiting.events })
    }
    if (changes.length === 0) return
    try {
      await this.#ledger.write(changes)
    } catch (error) {
      const fault = failed('the journal cannot be written', error)
      for (const { reject } of accepted) reject(fault)
      return
    }
    // Writers first: nobody hears of a change before the one who made it.
    for (let at = 0; at < accepted.length; at++) accepted[at]?.resolve(changes[at]?.revision ?? revision)
    for (const change of changes) this.#watchers.publish(change)
  }

  #judge(commit: Commit, overlay: ReadonlyMap<string, number>): Fault | undefined {
    try {
      for (const { key, revision } of commit.if ?? []) {
        const found = overlay.get(key) ?? this.#ledger.revisionOf(key)
        if (found !== revision) return conflict(key, revision, found)
      }
      return undefined
    } catch (error) {
      return failed('the data file cannot be read', error)
    }
  }
}

function failed(what: string, cause: unknown): Fault {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new Fault('store_failed', `${what}: ${why}`, {
    source: 'internal',
    retryable: true,
    cause,
    hint: 'see whether the disk of the data directory is full, or failing',
  })
}
