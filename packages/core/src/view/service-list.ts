import type { ServiceName } from '../instance/instance.ts'

/** What is in a list of services and was not in the one before, and the other way round. Both ordered. */
export interface ServiceChanges {
  readonly put: readonly ServiceName[]
  readonly gone: readonly ServiceName[]
}

/** The order of services wherever they are listed: by namespace, then by name, both by code unit. */
export function compareServices(a: ServiceName, b: ServiceName): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  return a.service < b.service ? -1 : a.service > b.service ? 1 : 0
}

/** In order, each once. */
export function orderedServices(names: Iterable<ServiceName>): readonly ServiceName[] {
  const ordered = [...names].sort(compareServices)
  return ordered.filter((name, index) => isNew(ordered[index - 1], name))
}

/**
 * An ordered list with `put` in it and `gone` left out; who is named in both is in it. The list itself where that changes
 * nothing. Names that stay are the same objects: one copy of the list and a binary search a change, since a list of ten
 * thousand changes by one.
 */
export function patchedServices(
  list: readonly ServiceName[],
  { put, gone }: ServiceChanges,
): readonly ServiceName[] {
  const stays = new Set(put)
  // Sorting is stable: of two equal names, the one that is to be there comes first.
  const changes = [...put, ...gone].sort(compareServices)
  const result: ServiceName[] = []
  let from = 0
  let changed = false
  for (const [index, name] of changes.entries()) {
    if (!isNew(changes[index - 1], name)) continue
    const to = lowerBound(list, name, from)
    for (let at = from; at < to; at++) result.push(list[at] as ServiceName)
    const known = list[to]
    const isThere = known !== undefined && compareServices(known, name) === 0
    from = isThere ? to + 1 : to
    if (stays.has(name)) result.push(isThere ? known : name)
    changed ||= stays.has(name) !== isThere
  }
  if (!changed) return list
  for (let at = from; at < list.length; at++) result.push(list[at] as ServiceName)
  return result
}

/** How an ordered list became another one. Names that are the same object in both cost no comparison. */
export function serviceChanges(
  before: readonly ServiceName[],
  after: readonly ServiceName[],
): ServiceChanges {
  const put: ServiceName[] = []
  const gone: ServiceName[] = []
  let old = 0
  for (const name of after) {
    if (before[old] === name) {
      old++
      continue
    }
    while (isBelow(before[old], name)) gone.push(before[old++] as ServiceName)
    const known = before[old]
    if (known !== undefined && compareServices(known, name) === 0) old++
    else put.push(name)
  }
  for (; old < before.length; old++) gone.push(before[old] as ServiceName)
  return { put, gone }
}

function isNew(before: ServiceName | undefined, name: ServiceName): boolean {
  return before === undefined || compareServices(before, name) !== 0
}

function isBelow(name: ServiceName | undefined, than: ServiceName): boolean {
  return name !== undefined && compareServices(name, than) < 0
}

/** The first index, `from` or later, whose name is not below `name`. */
function lowerBound(list: readonly ServiceName[], name: ServiceName, from: number): number {
  let low = from
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBelow(list[middle], name)) low = middle + 1
    else high = middle
  }
  return low
}
