import { isMassSilence, type Silence } from './protection.ts'
import type { ServiceState } from './service-state.ts'
import type { Slot } from './slot.ts'

/**
 * Who was lost together with others. What takes most of a service, or of all sessions, at once is a matter of the
 * network or of ourselves, and those whom it took come back one after the other: as soon as the first half is there,
 * the time of the others must begin anew, or it would end while they are on their way.
 */
export class MassLoss {
  /** Instances that no session and no process holds any more, though one did. */
  readonly #lost = new Map<ServiceState, Set<Slot>>()
  readonly #struck = new Set<ServiceState>()
  #areSessionsStruck = false

  add(service: ServiceState, slot: Slot): void {
    const slots = this.#lost.get(service)
    if (slots === undefined) this.#lost.set(service, new Set([slot]))
    else slots.add(slot)
  }

  delete(service: ServiceState | undefined, slot: Slot): void {
    const slots = service && this.#lost.get(service)
    if (service === undefined || slots === undefined) return
    slots.delete(slot)
    if (slots.size === 0) this.#lost.delete(service)
  }

  get isEmpty(): boolean {
    return this.#lost.size === 0
  }

  *[Symbol.iterator](): Iterator<Slot> {
    for (const slots of this.#lost.values()) yield* slots
  }

  /** Asked at regular intervals, answers who is still missing from a mass loss that has just ended. */
  remnants(sessions: Silence): ReadonlySet<Slot> {
    const remnants = new Set<Slot>()
    for (const service of this.#struck) if (!this.#lost.has(service)) this.#struck.delete(service)
    for (const [service, slots] of this.#lost) {
      if (isMassSilence({ all: service.size, silent: slots.size })) this.#struck.add(service)
      else if (this.#struck.delete(service)) for (const slot of slots) remnants.add(slot)
    }
    const wereStruck = this.#areSessionsStruck
    this.#areSessionsStruck = isMassSilence(sessions)
    if (wereStruck && !this.#areSessionsStruck) for (const slot of this) remnants.add(slot)
    return remnants
  }
}
