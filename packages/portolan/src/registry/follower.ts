import { Fault, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'
import type { RegistryState } from './state.ts'
import { RevisionWaiters } from './waiters.ts'

export interface FollowerParts {
  readonly store: Store
  readonly state: RegistryState
  /** Resolves some time later, or when the registry closes. */
  readonly pause: () => Promise<void>
  readonly onFault: (fault: Fault) => void
}

/**
 * Keeps the state in step with the store, and tells who waits for a revision when the state has it: whoever
 * changed something reads what he wrote.
 */
export class Follower {
  readonly #parts: FollowerParts
  readonly #stop = new AbortController()
  readonly #waiters = new RevisionWaiters()
  #ended: Promise<void> | undefined

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  start(): void {
    this.#ended = this.#follow()
  }

  /** Resolves when the state has `revision`. @throws Fault `store_closed` */
  reached(revision: number): Promise<void> {
    if (this.#parts.state.cursor.revision >= revision) return Promise.resolve()
    if (this.#stop.signal.aborted) return Promise.reject(closed())
    return this.#waiters.add(revision)
  }

  /** Brings the state to where the store is now: what to do after `store_conflict`, before another try. */
  async catchUp(key: string): Promise<void> {
    const { cursor } = await this.#parts.store.read(key)
    await this.reached(cursor.revision)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
    this.#waiters.rejectAll(closed())
  }

  async #follow(): Promise<void> {
    const { store, state, pause, onFault } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        for await (const change of store.watch('', state.cursor, signal)) {
          state.apply(change)
          this.#waiters.free(state.cursor.revision)
        }
        // A store that ends its watches has closed; the registry is about to follow.
        if (!signal.aborted) await pause()
      } catch (thrown) {
        const fault = toFault(thrown)
        if (signal.aborted) return
        onFault(fault)
        if (fault.code === 'store_compacted') await this.#reload()
        else await pause()
      }
    }
  }

  /** The watch lost the thread: everything anew, of which only what differs is news. */
  async #reload(): Promise<void> {
    const { store, state, onFault, pause } = this.#parts
    try {
      const reading = await store.read('')
      if (reading.cursor.epoch !== state.cursor.epoch) throw replaced()
      state.load(reading)
      this.#waiters.free(state.cursor.revision)
    } catch (thrown) {
      onFault(toFault(thrown))
      await pause()
    }
  }
}

function replaced(): Fault {
  return new Fault('store_failed', 'the store was replaced while the registry was running', {
    source: 'internal',
    hint: 'start the server again: it takes the new store as it is',
  })
}

function closed(): Fault {
  return new Fault('store_closed', 'the registry is closing', { source: 'internal', retryable: true })
}
