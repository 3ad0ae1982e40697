import { compareServices, type ServiceName } from '@portolan/core'
import type { Known } from './known.ts'

/** Services by their names in lower case, since that is how DNS compares names (RFC 4343). */
export class KnownServices implements Iterable<Known> {
  /** Those that differ by case alone, ordered by their own names. */
  readonly #byName = new Map<string, Known[]>()

  /** The last of those that are called so in some spelling. @param namespace in lower case, as `service` */
  last(namespace: string, service: string): Known | undefined {
    return this.#byName.get(`${namespace}/${service}`)?.at(-1)
  }

  /** The one of exactly this spelling. */
  get(name: ServiceName): Known | undefined {
    return this.#byName.get(keyOf(name))?.find(known => compareServices(known.name, name) === 0)
  }

  /** All that differ from this name by case alone, or not at all. */
  namesakes(name: ServiceName): readonly Known[] {
    return this.#byName.get(keyOf(name)) ?? []
  }

  add(known: Known): void {
    const same = this.#byName.get(keyOf(known.name)) ?? []
    same.push(known)
    same.sort((a, b) => compareServices(a.name, b.name))
    this.#byName.set(keyOf(known.name), same)
  }

  remove(known: Known): void {
    const key = keyOf(known.name)
    const left = (this.#byName.get(key) ?? []).filter(other => other !== known)
    if (left.length === 0) this.#byName.delete(key)
    else this.#byName.set(key, left)
  }

  *[Symbol.iterator](): Iterator<Known> {
    for (const same of this.#byName.values()) yield* same
  }
}

function keyOf({ namespace, service }: ServiceName): string {
  return `${namespace.toLowerCase()}/${service.toLowerCase()}`
}
