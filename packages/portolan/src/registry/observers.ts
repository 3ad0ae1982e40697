import type { Unsubscribe } from '@portolan/core'
import type { Holds } from './records.ts'
import type { InstanceObserver, Tether, Watched } from './registry.ts'
import type { Slot } from './slot.ts'

/** Those who want to know of every instance, whatever its service. */
export class Observers {
  readonly #observers = new Set<InstanceObserver>()

  /** Tells of all that there is before it returns. */
  add(observer: InstanceObserver, slots: Iterable<Slot>): Unsubscribe {
    this.#observers.add(observer)
    for (const slot of slots) tell(observer, slot)
    return () => this.#observers.delete(observer)
  }

  changed(slot: Slot): void {
    for (const observer of this.#observers) tell(observer, slot)
  }
}

function tell(observer: InstanceObserver, slot: Slot): void {
  const watched = watchedOf(slot)
  if (watched === undefined) observer.gone(slot.name)
  else observer.present(watched)
}

function watchedOf({ instance, record }: Slot): Watched | undefined {
  const { value } = record
  if (instance === undefined || value === undefined) return undefined
  return { instance, checks: value.checks, tether: tetherOf(value.held) }
}

/** What holds it most firmly. */
function tetherOf(held: Holds): Tether {
  if (held.static === true) return 'static'
  if (held.session !== undefined) return 'session'
  return held.process !== undefined ? 'process' : 'lease'
}
