import type { Check, InstanceName, ServiceName } from '@portolan/core'
import { RecentOuts } from './mass.ts'
import type { Subject } from './subject.ts'

/** The instances of one service that are tested. */
export interface Roll {
  readonly name: ServiceName
  readonly subjects: Map<string, Subject>
  /** What the configuration gives to all of them. */
  configured: readonly Check[] | undefined
  readonly outs: RecentOuts
}

/** All services. Not by one key for each instance: 100,000 of those would cost more than the checks. */
export class Rolls {
  readonly #rolls = new Map<string, Roll>()

  known(name: ServiceName): Roll | undefined {
    return this.#rolls.get(keyOf(name))
  }

  find(name: InstanceName): Subject | undefined {
    return this.known(name)?.subjects.get(name.id)
  }

  /** The service's roll, a new one where there is none. */
  of(name: ServiceName, configured: () => readonly Check[] | undefined): Roll {
    const known = this.known(name)
    if (known !== undefined) return known
    const { namespace, service } = name
    const roll = {
      name: { namespace, service },
      subjects: new Map(),
      configured: configured(),
      outs: new RecentOuts(),
    }
    this.#rolls.set(keyOf(name), roll)
    return roll
  }

  remove(name: InstanceName): void {
    const roll = this.known(name)
    roll?.subjects.delete(name.id)
    if (roll?.subjects.size === 0) this.#rolls.delete(keyOf(name))
  }

  all(): Iterable<Roll> {
    return this.#rolls.values()
  }

  *subjects(): Iterable<Subject> {
    for (const { subjects } of this.#rolls.values()) yield* subjects.values()
  }
}

function keyOf({ namespace, service }: ServiceName): string {
  return `${namespace}/${service}`
}
