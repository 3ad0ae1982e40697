import { type Cursor, Fault } from '@portolan/core'
import { History, type HistoryLimits } from './history.ts'
import type { Change } from './store.ts'

interface Watcher {
  readonly prefix: string
  /** The sequence number of the oldest change that it should see and has not seen; undefined = it is in step. */
  next: number | undefined
  wake: () => void
  /** Stops listening to the signal: one signal may outlive many watches. */
  leave: () => void
  ended: boolean
}

/**
 * Everybody who watches one store. A watcher holds a place in the history and no queue of its own: a slow one
 * costs a number, never blocks a commit, and loses nothing until the ring has gone past its place.
 */
export class Watchers {
  readonly #epoch: string
  readonly #history: History
  readonly #byPrefix = new Map<string, Set<Watcher>>()
  /** The distinct lengths of the watched prefixes: the only cuts of a key that need looking up. */
  #lengths: readonly number[] = []
  #closed = false

  constructor(start: Cursor, limits?: HistoryLimits) {
    this.#epoch = start.epoch
    this.#history = new History(start.revision, limits)
  }

  /** The last change that was published. */
  get cursor(): Cursor {
    return { epoch: this.#epoch, revision: this.#history.newest }
  }

  /** How many watch at the moment. */
  get size(): number {
    let count = 0
    for (const group of this.#byPrefix.values()) count += group.size
    return count
  }

  /** Adds a change to the history and wakes those watchers whose prefix it touched, and nobody else. */
  publish(change: Change): void {
    const sequence = this.#history.append(change)
    for (const { key } of change.events) {
      for (const length of this.#lengths) {
        if (length > key.length) continue
        for (const watcher of this.#byPrefix.get(key.slice(0, length)) ?? []) {
          if (watcher.next !== undefined) continue
          watcher.next = sequence
          watcher.wake()
        }
      }
    }
  }

  /** @see Store.watch: the same parameters, order and faults. */
  watch(prefix: string, from: Cursor, signal: AbortSignal): AsyncIterable<Change> {
    const fault = this.#refusal(from)
    if (fault !== undefined) return failing(fault)
    const next = this.#nextFor(prefix, this.#history.after(from.revision))
    const end = () => this.#end(watcher)
    const leave = () => signal.removeEventListener('abort', end)
    const watcher: Watcher = { prefix, next, wake: () => {}, leave, ended: signal.aborted }
    if (watcher.ended) return this.#follow(watcher)
    this.#add(watcher)
    signal.addEventListener('abort', end)
    return this.#follow(watcher)
  }

  /** Ends every watch, without a fault. */
  close(): void {
    this.#closed = true
    for (const group of [...this.#byPrefix.values()]) for (const watcher of [...group]) this.#end(watcher)
  }

  async *#follow(watcher: Watcher): AsyncGenerator<Change, void> {
    try {
      while (!watcher.ended) {
        if (watcher.next === undefined) {
          await new Promise<void>(resolve => {
            watcher.wake = resolve
          })
          continue
        }
        const change = this.#history.at(watcher.next)
        if (change === undefined) throw compacted('the watcher is slower than the history is long')
        watcher.next = this.#nextFor(watcher.prefix, watcher.next + 1)
        yield cut(change, watcher.prefix)
      }
    } finally {
      this.#end(watcher)
    }
  }

  #nextFor(prefix: string, start: number): number | undefined {
    for (let sequence = start; sequence < this.#history.end; sequence++) {
      const change = this.#history.at(sequence)
      // A change that is gone may have been one of ours: the reader finds out and starts again from a snapshot.
      if (change === undefined || change.events.some(event => event.key.startsWith(prefix))) return sequence
    }
    return undefined
  }

  #refusal(from: Cursor): Fault | undefined {
    if (this.#closed) return new Fault('store_closed', 'the store is closed', { source: 'caller' })
    if (from.epoch !== this.#epoch) {
      return compacted(`the store's epoch is ${this.#epoch}, not ${from.epoch}`)
    }
    const { floor, newest } = this.#history
    if (from.revision > newest) {
      return compacted(`revision ${from.revision} is in the future: the newest is ${newest}`)
    }
    if (from.revision < floor)
      return compacted(`changes before revision ${floor} are gone, ${from.revision} too`)
    return undefined
  }

  #add(watcher: Watcher): void {
    const group = this.#byPrefix.get(watcher.prefix)
    if (group !== undefined) group.add(watcher)
    else this.#byPrefix.set(watcher.prefix, new Set([watcher]))
    this.#lengths = lengthsOf(this.#byPrefix.keys())
  }

  #end(watcher: Watcher): void {
    watcher.ended = true
    watcher.leave()
    watcher.wake()
    const group = this.#byPrefix.get(watcher.prefix)
    if (group?.delete(watcher) !== true || group.size > 0) return
    this.#byPrefix.delete(watcher.prefix)
    this.#lengths = lengthsOf(this.#byPrefix.keys())
  }
}

function lengthsOf(prefixes: Iterable<string>): readonly number[] {
  return [...new Set([...prefixes].map(prefix => prefix.length))]
}

/** The part of a change that lies under a prefix; the change itself where that is all of it. */
function cut(change: Change, prefix: string): Change {
  const events = change.events.filter(event => event.key.startsWith(prefix))
  return events.length === change.events.length ? change : { revision: change.revision, events }
}

function compacted(why: string): Fault {
  return new Fault('store_compacted', `cannot watch from there: ${why}`, {
    source: 'caller',
    hint: 'read the prefix again and watch from the cursor of that reading',
  })
}

// biome-ignore lint/correctness/useYield: it fails before there is anything to yield
async function* failing(fault: Fault): AsyncGenerator<Change, void> {
  throw fault
}
