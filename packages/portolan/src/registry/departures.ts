import { type DepartureReason, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'
import { departedKey, encode, keyOf } from './records.ts'
import { incarnationOf, type Slot } from './slot.ts'
import type { RegistryState } from './state.ts'

export interface Leaver {
  readonly slot: Slot
  /** The run that leaves; a newer one stays. */
  readonly incarnation: number
  readonly reason: DepartureReason
}

export interface DeparturesParts {
  readonly store: Store
  readonly state: RegistryState
  readonly reached: (revision: number) => Promise<void>
  readonly catchUp: (key: string) => Promise<void>
}

const mostPerCommit = 500

interface Entry {
  readonly leaver: Leaver
  readonly isStillDue: (slot: Slot) => boolean
  readonly resolve: () => void
  readonly reject: (thrown: unknown) => void
}

/**
 * Removes instances, many to a commit, with the reasons beside so that every node can tell them on. One commit is
 * under way at a time; who is to leave meanwhile goes with the next: a host that dies with 5,000 instances costs ten.
 */
export class Departures {
  readonly #parts: DeparturesParts
  #entries: Entry[] = []
  #writing: Promise<void> | undefined

  constructor(parts: DeparturesParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the state shows it. Who meanwhile left, began a new run or is not wanted away any more, stays out.
   * @throws Fault `store_failed`, `store_closed`
   */
  async remove(leavers: readonly Leaver[], isStillDue: (slot: Slot) => boolean = () => true): Promise<void> {
    const done = leavers.map(
      leaver =>
        new Promise<void>((resolve, reject) => this.#entries.push({ leaver, isStillDue, resolve, reject })),
    )
    // A microtask later, so that all that leave by one event share a commit.
    this.#writing ??= Promise.resolve().then(() => this.#write())
    await Promise.all(done)
  }

  async #write(): Promise<void> {
    while (this.#entries.length > 0) {
      const batch = this.#entries.splice(0, mostPerCommit)
      try {
        await this.#removeBatch(batch)
        for (const { resolve } of batch) resolve()
      } catch (thrown) {
        for (const { reject } of batch) reject(thrown)
      }
    }
    this.#writing = undefined
  }

  async #removeBatch(batch: readonly Entry[]): Promise<void> {
    const { store, reached, catchUp } = this.#parts
    for (;;) {
      const due = this.#dueOf(batch)
      if (due.length === 0) return
      const keys = due.map(({ slot }) => keyOf('instances', slot.name))
      const commit = {
        if: due.map(({ slot }) => ({ key: keyOf('instances', slot.name), revision: slot.record.revision })),
        put: [
          {
            key: departedKey,
            value: encode(due.map(({ slot, reason }) => [keyOf('instances', slot.name), reason])),
          },
        ],
        delete: [...keys, ...causeKeys(due)],
      }
      try {
        return await reached(await store.commit(commit))
      } catch (thrown) {
        if (toFault(thrown).code !== 'store_conflict') throw thrown
        await catchUp(keys[0] ?? '')
      }
    }
  }

  /** Each once, though several may want it away for reasons of their own: the first reason counts. */
  #dueOf(batch: readonly Entry[]): readonly Leaver[] {
    const due = new Map<Slot, Leaver>()
    for (const { leaver, isStillDue } of batch) {
      const { slot, incarnation } = leaver
      const isHere = this.#parts.state.slot(slot.name) === slot && incarnationOf(slot) === incarnation
      if (isHere && !due.has(slot) && isStillDue(slot)) due.set(slot, leaver)
    }
    return [...due.values()]
  }
}

function causeKeys(leavers: readonly Leaver[]): string[] {
  return leavers
    .filter(({ slot }) => slot.causes.value !== undefined)
    .map(({ slot }) => keyOf('causes', slot.name))
}
