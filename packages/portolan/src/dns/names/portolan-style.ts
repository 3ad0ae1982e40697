import type { Directory } from '../directory/directory.ts'
import { addressOfHex } from './hex.ts'
import { hasMatching, instanceCalled } from './matching.ts'
import type { Meaning, ServiceMeaning, WantedPort } from './meaning.ts'
import { type Place, placeOf, placeOfService, serviceMeaning } from './place.ts'

/** A meaning, and the service that it is about. */
export interface Found {
  readonly meaning: Meaning
  readonly place?: Place
}

/** What stands in front of a mark (`v1` of `v1.tag.order`), and behind it. */
interface Marked {
  readonly before: string
  readonly after: readonly string[]
  readonly directory: Directory
}

/** Words that say what stands before them. */
const marks: ReadonlyMap<string, (marked: Marked) => Found | undefined> = new Map([
  ['instance', anInstance],
  ['tag', aTag],
  ['_tcp', marked => aPort(marked, 'tcp')],
  ['_udp', marked => aPort(marked, 'udp')],
])

/** The name forms of Portolan's own domain. */
export function portolanMeaning(labels: readonly string[], directory: Directory): Found {
  if (labels.length === 0) return { meaning: { kind: 'apex' } }
  if (labels.length === 1 && labels[0] === 'ns') return { meaning: { kind: 'nameserver' } }
  return (
    anAddress(labels) ??
    aMarkedName(labels, directory) ??
    aService(labels, directory) ?? { meaning: { kind: isAbove(labels, directory) ? 'empty' : 'nothing' } }
  )
}

function anAddress(labels: readonly string[]): Found | undefined {
  const [hex = '', word] = labels
  const ip = labels.length === 2 && word === 'addr' ? addressOfHex(hex) : undefined
  return ip === undefined ? undefined : { meaning: { kind: 'address', ip } }
}

/** The first mark that makes sense: a service may be called like one. */
function aMarkedName(labels: readonly string[], directory: Directory): Found | undefined {
  for (const [index, label] of labels.entries()) {
    if (index === 0) continue
    const before = labels.slice(0, index).join('.')
    const found = marks.get(label)?.({ before, after: labels.slice(index + 1), directory })
    if (found !== undefined) return found
  }
  return undefined
}

function anInstance({ before: id, after, directory }: Marked): Found | undefined {
  const place = placeOf(after, directory)
  if (place === undefined || place.zone !== undefined) return undefined
  if (instanceCalled(place.known.set, id) === undefined) return undefined
  const { namespace, service } = place
  return { meaning: { kind: 'instance', namespace, service, id }, place }
}

function aTag({ before: tag, after, directory }: Marked): Found | undefined {
  return about(placeOf(after, directory), { tag })
}

/** `_http._tcp.order`: a port of what follows; or `_order._tcp.zone-a`: a service, and where. */
function aPort({ before, after, directory }: Marked, transport: WantedPort['transport']): Found | undefined {
  if (!before.startsWith('_')) return undefined
  const name = before.slice(1)
  return (
    about(placeOf(after, directory), { port: { name, transport } }) ??
    aTagged(after, directory, { port: { name, transport } }) ??
    about(placeOfService(name, after, directory), { port: { transport } })
  )
}

/** `v1.tag.order` behind a port: `_http._tcp.v1.tag.order`. */
function aTagged(
  labels: readonly string[],
  directory: Directory,
  more: Pick<ServiceMeaning, 'port'> = {},
): Found | undefined {
  const mark = labels.indexOf('tag', 1)
  if (mark < 0) return undefined
  const tag = labels.slice(0, mark).join('.')
  return about(placeOf(labels.slice(mark + 1), directory), { ...more, tag })
}

function aService(labels: readonly string[], directory: Directory): Found | undefined {
  return about(placeOf(labels, directory), {})
}

/** Only what somebody in the service has is a name. */
function about(place: Place | undefined, more: Pick<ServiceMeaning, 'tag' | 'port'>): Found | undefined {
  if (place === undefined) return undefined
  const meaning = serviceMeaning(place, more)
  return hasMatching(place.known.set, meaning) ? { meaning, place } : undefined
}

/** Whether other names end in this one (RFC 8020). */
function isAbove(labels: readonly string[], directory: Directory): boolean {
  const [first = '', ...rest] = labels
  if (directory.isAbove(labels.join('.'))) return true
  if (rest.length === 0) return first === 'addr' || first === '_tcp' || first === '_udp'
  if (!marks.has(first)) return false
  const service = aService(rest, directory)
  if (first === 'instance') return service !== undefined && service.place?.zone === undefined
  if (first === 'tag' || service !== undefined) return service !== undefined
  return directory.isAbove(rest.join('.')) || aTagged(rest, directory) !== undefined
}
