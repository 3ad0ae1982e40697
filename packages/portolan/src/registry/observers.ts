import { isDeepStrictEqual } from 'node:util'
import type { InstanceName, Unsubscribe } from '@portolan/core'
import type { Holds } from './records.ts'
import type { InstanceObserver, Tether, Watched } from './registry.ts'
import { heldOf, type Slot } from './slot.ts'

/** Those who want to know of every instance, whatever its service. */
export class Observers {
  readonly #observers = new Set<InstanceObserver>()

  /** Tells of all that there is before it returns. */
  add(observer: InstanceObserver, slots: Iterable<Slot>): Unsubscribe {
    this.#observers.add(observer)
    for (const slot of slots) {
      slot.told = watchedOf(slot)
      if (slot.told !== undefined) observer.present(slot.told)
    }
    return () => this.#observers.delete(observer)
  }

  /** Tells of a slot that a commit has touched, unless nothing is new: most overrides and returns of sessions. */
  changed(slot: Slot): void {
    if (this.#observers.size === 0) return
    const watched = watchedOf(slot)
    const before = slot.told
    if (watched === before || (watched && before && isSame(watched, before))) return
    slot.told = watched
    for (const observer of this.#observers) {
      if (watched === undefined) observer.gone(slot.name)
      else observer.present(watched)
    }
  }

  /** For whoever keeps an instance's history. */
  happened(name: InstanceName, by: string, what: string): void {
    for (const observer of this.#observers) observer.happened?.(name, by, what)
  }
}

function watchedOf(slot: Slot): Watched | undefined {
  const { instance, record } = slot
  const { value } = record
  if (instance === undefined || value === undefined) return undefined
  const watched = { instance, checks: value.checks, tether: tetherOf(value.held) }
  const held = heldOf(slot)
  return held.length === 0 ? watched : { ...watched, held }
}

/** A record that is read again is another object with the same in it. */
function isSame(a: Watched, b: Watched): boolean {
  if (a.tether !== b.tether || a.instance.incarnation !== b.instance.incarnation) return false
  if (a.instance !== b.instance && !isDeepStrictEqual(a.instance, b.instance)) return false
  return a.checks === b.checks || isDeepStrictEqual(a.checks, b.checks)
}

/** What holds it most firmly. */
function tetherOf(held: Holds): Tether {
  if (held.static === true) return 'static'
  if (held.session !== undefined) return 'session'
  return held.process !== undefined ? 'process' : 'lease'
}
