import { type InstanceName, type Milliseconds, serviceKey } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import type { RegistryMetrics } from './metrics.ts'
import { isMassSilence, type Silence } from './protection.ts'
import type { ServiceState } from './service-state.ts'
import type { Slot } from './slot.ts'

export interface KeptParts {
  readonly metrics: RegistryMetrics
  readonly log: Log
  /** For the history of an instance. */
  readonly happened: (name: InstanceName, by: string, what: string) => void
}

interface Stay {
  readonly service: ServiceState
  readonly since: Milliseconds
  readonly nextProbe: Milliseconds
}

/** Instances that stay beyond their lease, and whoever should know of that: a metric, the log, their history. */
export class Kept {
  readonly #parts: KeptParts
  readonly #stays = new Map<Slot, Stay>()
  /** Of which somebody is kept, as the log has it. */
  readonly #services = new Set<ServiceState>()

  constructor(parts: KeptParts) {
    this.#parts = parts
  }

  has(slot: Slot): boolean {
    return this.#stays.has(slot)
  }

  get isEmpty(): boolean {
    return this.#stays.size === 0
  }

  slots(): Iterable<Slot> {
    return this.#stays.keys()
  }

  /** Since when it stays. */
  since(slot: Slot): Milliseconds | undefined {
    return this.#stays.get(slot)?.since
  }

  /** Keeps it from now on, or still; answers whether its host should be asked again, as is due every `probeMs`. */
  keep(slot: Slot, service: ServiceState, now: Milliseconds, probeMs: Milliseconds): boolean {
    const stay = this.#stays.get(slot)
    if (stay !== undefined && stay.nextProbe > now) return false
    this.#stays.set(slot, { service, since: stay?.since ?? now, nextProbe: now + probeMs })
    if (stay === undefined) {
      this.#parts.happened(slot.name, 'registry', 'protected: too many fell silent together')
    }
    return true
  }

  /** It was heard of, left, or has a lease again. */
  release(slot: Slot): void {
    if (!this.#stays.delete(slot)) return
    if (slot.instance !== undefined) this.#parts.happened(slot.name, 'registry', 'protected no longer')
  }

  began(service: ServiceState, silence: Silence, sessions: Silence): void {
    if (this.#services.has(service)) return
    this.#services.add(service)
    const scope = isMassSilence(sessions) ? 'sessions' : 'service'
    this.#parts.log.warn(
      { event: 'protected', service: serviceKey(service.name), scope, ...silence, sessions },
      'too many fell silent together: instances stay beyond their lease',
    )
  }

  /** Says how many are kept, and of which service nobody is any more. */
  observe(): void {
    const { metrics, log } = this.#parts
    metrics.protectedInstances.set(this.#stays.size)
    if (this.#services.size === 0) return
    const counts = new Map<ServiceState, number>()
    for (const { service } of this.#stays.values()) counts.set(service, (counts.get(service) ?? 0) + 1)
    for (const service of this.#services) {
      const count = counts.get(service)
      const labels = { service: serviceKey(service.name) }
      if (count !== undefined) {
        metrics.protectedByService.set(labels, count)
        continue
      }
      this.#services.delete(service)
      metrics.protectedByService.remove(labels)
      log.info({ event: 'protection-over', ...labels }, 'protection is over')
    }
  }
}
