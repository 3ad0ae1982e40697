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

/** Removes instances, many to a commit, with the reasons beside so that every node can tell them on. */
export class Departures {
  readonly #parts: DeparturesParts

  constructor(parts: DeparturesParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the state shows it. Who meanwhile left, began a new run or is not wanted away any more, stays out.
   * @throws Fault `store_failed`, `store_closed`
   */
  async remove(leavers: readonly Leaver[], isStillDue: (slot: Slot) => boolean = () => true): Promise<void> {
    for (let from = 0; from < leavers.length; from += mostPerCommit) {
      await this.#removeBatch(leavers.slice(from, from + mostPerCommit), isStillDue)
    }
  }

  async #removeBatch(batch: readonly Leaver[], isStillDue: (slot: Slot) => boolean): Promise<void> {
    const { store, state, reached, catchUp } = this.#parts
    for (;;) {
      const due = batch.filter(({ slot, incarnation }) => {
        const current = state.slot(slot.name)
        return current === slot && incarnationOf(slot) === incarnation && isStillDue(slot)
      })
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
}

function causeKeys(leavers: readonly Leaver[]): string[] {
  return leavers
    .filter(({ slot }) => slot.causes.value !== undefined)
    .map(({ slot }) => keyOf('causes', slot.name))
}
