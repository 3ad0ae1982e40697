import { defaultNamespace, type InstanceSet, type ServiceName, serviceKey } from '@portolan/core'

/**
 * The names that nobody asks for, but that have names of services below them: zones, namespaces, and the ends of names with
 * dots. They exist (RFC 8020): who says that `zone-a.portolan` does not, denies `order.zone-a.portolan`, too.
 */
export class Branches {
  readonly #counts = new Map<string, number>()
  readonly #ofService = new Map<string, ReadonlySet<string>>()

  /** In the place of what the same service had until now. */
  put(set: InstanceSet): void {
    this.drop(set)
    const branches = branchesOf(set)
    this.#ofService.set(serviceKey(set), branches)
    for (const name of branches) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  drop(service: ServiceName): void {
    const key = serviceKey(service)
    for (const name of this.#ofService.get(key) ?? []) {
      const count = this.#counts.get(name) ?? 0
      if (count > 1) this.#counts.set(name, count - 1)
      else this.#counts.delete(name)
    }
    this.#ofService.delete(key)
  }

  has(name: string): boolean {
    return this.#counts.has(name)
  }
}

function branchesOf({ namespace, service, instances }: InstanceSet): ReadonlySet<string> {
  const found = new Set<string>()
  const zones = new Set(instances.map(({ zone }) => zone?.toLowerCase() ?? ''))
  for (const base of basesOf(namespace.toLowerCase())) {
    const below = (name: string): string => (base === '' ? name : `${name}.${base}`)
    for (const ending of endings(base)) found.add(ending)
    const ends = endings(service.toLowerCase()).slice(1)
    for (const end of ends) found.add(below(end))
    for (const zone of zones) {
      for (const ending of endings(zone)) found.add(below(ending))
      if (zone !== '') for (const end of ends) found.add(below(`${end}.${zone}`))
    }
  }
  return found
}

/** The default namespace may be said, too. */
function basesOf(namespace: string): readonly string[] {
  return namespace === defaultNamespace ? ['', `${namespace}.ns`] : [`${namespace}.ns`]
}

/** `a.b.c`, `b.c` and `c`. */
function endings(name: string): readonly string[] {
  if (name === '') return []
  const labels = name.split('.')
  return labels.map((_, index) => labels.slice(index).join('.'))
}
