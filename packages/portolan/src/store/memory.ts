import { randomUUID } from 'node:crypto'
import { closed, compareKeys, conflict, eventsOf } from './commit.ts'
import type { HistoryLimits } from './history.ts'
import type { Change, Commit, Condition, Entry, Store } from './store.ts'
import { Watchers } from './watchers.ts'

export interface MemoryStoreOptions {
  readonly history?: HistoryLimits
}

/** A store that ends with its process: for tests, and for servers that are told to keep nothing. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  const entries = new Map<string, Entry>()
  const watchers = new Watchers({ epoch: randomUUID(), revision: 0 }, options.history)
  let open = true

  const check = ({ key, revision }: Condition): void => {
    const found = entries.get(key)?.revision ?? 0
    if (found !== revision) throw conflict(key, revision, found)
  }

  const apply = ({ revision, events }: Change): void => {
    for (const { key, value } of events) {
      if (value === undefined) entries.delete(key)
      else entries.set(key, { key, value, revision })
    }
  }

  return {
    commit(commit: Commit) {
      return new Promise((resolve, reject) => {
        if (!open) return reject(closed())
        const events = eventsOf(commit)
        commit.if?.forEach(check)
        const change = { revision: watchers.cursor.revision + 1, events }
        apply(change)
        // In this order, so that the writer hears of its commit before any watcher does.
        resolve(change.revision)
        watchers.publish(change)
      })
    },

    async read(prefix) {
      if (!open) throw closed()
      const found = [...entries.values()].filter(entry => entry.key.startsWith(prefix))
      return { cursor: watchers.cursor, entries: found.sort((a, b) => compareKeys(a.key, b.key)) }
    },

    watch: (prefix, from, signal) => watchers.watch(prefix, from, signal),

    async close() {
      open = false
      watchers.close()
    },
  }
}
