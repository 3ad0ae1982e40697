import { type Cause, type Fault, type InstanceName, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'
import { encode, keyOf } from './records.ts'
import { causesOf, degradedOf, heldOf, incarnationOf, type Slot, type Standing } from './slot.ts'
import type { RegistryState } from './state.ts'

/** The causes after an edit; the very same array when there is nothing to do. */
export type EditCauses = (causes: readonly Cause[], slot: Slot) => readonly Cause[]

/** The same for all that is said of a run. */
export type EditStanding = (standing: Standing, slot: Slot) => Standing

export interface JournalParts {
  readonly store: Store
  readonly state: RegistryState
  readonly reached: (revision: number) => Promise<void>
  readonly catchUp: (key: string) => Promise<void>
  /** Resolves some time later. */
  readonly pause: () => Promise<void>
  readonly onFault: (fault: Fault) => void
}

interface Entry {
  readonly name: InstanceName
  readonly edit: EditStanding
  readonly resolve: () => void
  readonly reject: (thrown: unknown) => void
}

const mostPerCommit = 500

/** A store that fails for a moment must not lose a cause that nobody would set again: so often it is asked anew. */
const mostTries = 50

/**
 * Every change of causes goes through here: in the order in which it was asked for, many to a commit. One commit
 * is under way at a time; what is asked for meanwhile goes with the next. So a session that falls silent with
 * 5,000 instances costs ten commits, and its answer right after can never be overtaken by its silence.
 */
export class CauseJournal {
  readonly #parts: JournalParts
  #entries: Entry[] = []
  #writing: Promise<void> | undefined

  constructor(parts: JournalParts) {
    this.#parts = parts
  }

  /**
   * Resolves when the state shows the edit; at once thereafter when it changes nothing, or the instance is gone.
   * @throws Fault `store_failed`, `store_closed`
   */
  edit(name: InstanceName, edit: EditCauses): Promise<void> {
    return this.change(name, (standing, slot) => {
      const causes = edit(standing.causes, slot)
      return causes === standing.causes ? standing : { ...standing, causes }
    })
  }

  /** As `edit`, for causes and degradations together. */
  change(name: InstanceName, edit: EditStanding): Promise<void> {
    const done = new Promise<void>((resolve, reject) => this.#entries.push({ name, edit, resolve, reject }))
    // A microtask later, so that all edits of one event share a commit.
    this.#writing ??= Promise.resolve().then(() => this.#write())
    return done
  }

  /** Deletes causes whose instance left while they were being written. Nobody sees them, and they must not pile up. */
  async sweep(): Promise<void> {
    const { store, state, reached } = this.#parts
    const orphans = [...state.slots()].filter(({ record, causes }) => !record.value && causes.value)
    for (let from = 0; from < orphans.length; from += mostPerCommit) {
      const keys = orphans.slice(from, from + mostPerCommit).map(({ name }) => keyOf('causes', name))
      await reached(await store.commit({ delete: keys }))
    }
  }

  /** Whether the state shows every edit that was asked for. */
  get isIdle(): boolean {
    return this.#writing === undefined
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #write(): Promise<void> {
    while (this.#entries.length > 0) {
      const batch = this.#entries.splice(0, mostPerCommit)
      try {
        await this.#commitPatiently(batch)
        for (const { resolve } of batch) resolve()
      } catch (thrown) {
        for (const { reject } of batch) reject(thrown)
      }
    }
    this.#writing = undefined
  }

  /** Later entries wait meanwhile, since their order is what the journal is for. */
  async #commitPatiently(batch: readonly Entry[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#commit(batch)
      } catch (thrown) {
        const fault = toFault(thrown)
        if (fault.code !== 'store_failed' || !fault.retryable || tries === mostTries) throw fault
        this.#parts.onFault(fault)
        await this.#parts.pause()
      }
    }
  }

  async #commit(batch: readonly Entry[]): Promise<void> {
    const { store, reached, catchUp } = this.#parts
    for (;;) {
      const edited = this.#apply(batch)
      if (edited.size === 0) return
      const changes = [...edited].map(([slot, standing]) => changeOf(slot, standing))
      const commit = {
        if: changes.map(({ key, slot }) => ({ key, revision: slot.causes.revision })),
        put: changes.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }])),
        delete: changes.flatMap(({ key, value }) => (value === undefined ? [key] : [])),
      }
      try {
        return await reached(await store.commit(commit))
      } catch (thrown) {
        if (toFault(thrown).code !== 'store_conflict') throw thrown
        await catchUp(commit.if[0]?.key ?? '')
      }
    }
  }

  /** What the batch makes of what the state has: a slot for each that changes. */
  #apply(batch: readonly Entry[]): ReadonlyMap<Slot, Standing> {
    const edited = new Map<Slot, Standing>()
    for (const { name, edit } of batch) {
      const slot = this.#parts.state.slot(name)
      if (slot?.record.value === undefined) continue
      const standing = edited.get(slot) ?? standingOf(slot)
      edited.set(slot, edit(standing, slot))
    }
    for (const [slot, { causes, degraded, held }] of edited) {
      const isSame = causes === causesOf(slot) && degraded === degradedOf(slot) && held === heldOf(slot)
      if (isSame) edited.delete(slot)
    }
    return edited
  }
}

function standingOf(slot: Slot): Standing {
  return { causes: causesOf(slot), degraded: degradedOf(slot), held: heldOf(slot) }
}

/** What is to be stored; `value` undefined = nothing. A run that began with a cause needs it said that it has none. */
function changeOf(slot: Slot, { causes, degraded, held }: Standing) {
  const isNothing = causes.length === 0 && degraded.length === 0 && slot.record.value?.begins === undefined
  const incarnation = incarnationOf(slot)
  const record = {
    incarnation,
    causes,
    ...(degraded.length === 0 ? {} : { degraded }),
    ...(held.length === 0 ? {} : { held }),
  }
  return { key: keyOf('causes', slot.name), slot, value: isNothing ? undefined : encode(record) }
}
