import type { Instance } from '@portolan/core'
import type { Directory } from '../directory/directory.ts'
import { portsReachedBy } from './matching.ts'
import { aService, aTagged, type Found, marks } from './portolan-forms.ts'

/** What stands in front of each mark, of one instance. */
const saidBefore: Readonly<Record<string, (instance: Instance) => readonly string[]>> = {
  instance: ({ id }) => [id],
  tag: ({ tags }) => tags,
  _tcp: ({ ports }) => portsReachedBy(ports, 'tcp').map(({ name }) => name),
  _udp: ({ ports }) => portsReachedBy(ports, 'udp').map(({ name }) => name),
}

/**
 * Whether other names of Portolan's own domain end in this one, which is none itself: then it exists, and has no records
 * (RFC 8020).
 */
export function isAncestor(labels: readonly string[], directory: Directory): boolean {
  const name = labels.join('.')
  if (name === 'addr' || directory.isAbove(name)) return true
  return labels.some((label, index) => {
    if (!marks.has(label)) return false
    return isAboveMarked(labels.slice(0, index), label, { after: labels.slice(index + 1), directory })
  })
}

interface Behind {
  readonly after: readonly string[]
  readonly directory: Directory
}

/** `tag.order`; and `0.tag.order` where somebody has the tag `v2.0`. */
function isAboveMarked(before: readonly string[], mark: string, { after, directory }: Behind): boolean {
  const isOfPorts = mark.startsWith('_')
  if (isOfPorts && isAboveServices([...before, ...after], directory)) return true
  const found = aService(after, directory) ?? (isOfPorts ? aTagged(after, directory) : undefined)
  if (found === undefined || (mark === 'instance' && zoneOf(found) !== undefined)) return false
  if (before.length === 0) return true
  const ending = `.${before.join('.')}`
  const textsOf = saidBefore[mark] ?? (() => [])
  const isBelow = (text: string): boolean =>
    text.length > ending.length && text.toLowerCase().endsWith(ending)
  return found.known?.set.instances.some(instance => textsOf(instance).some(isBelow)) ?? false
}

/** `_tcp`, `_tcp.zone-a`, `cart._tcp`: above `_order._tcp`, `_order._tcp.zone-a`, `_api.cart._tcp`. */
function isAboveServices(labels: readonly string[], directory: Directory): boolean {
  return labels.length === 0 || directory.isAbove(labels.join('.'))
}

function zoneOf({ meaning }: Found): string | undefined {
  return meaning.kind === 'service' ? meaning.zone : undefined
}
