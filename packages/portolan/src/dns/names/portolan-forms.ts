import type { Directory, KnownService } from '../directory/directory.ts'
import { addressOfHex } from './hex.ts'
import { hasMatching, instanceCalled } from './matching.ts'
import type { Meaning, ServiceMeaning, WantedPort } from './meaning.ts'
import { type Place, placeOf, placeOfService, serviceMeaning } from './place.ts'

/** A name as it was understood. */
export interface Found {
  readonly meaning: Meaning
  /** The service that it is about, or whose instance it names. */
  readonly known?: KnownService
  /** As long as that service has what is asked for the name is its name, whatever other services come and go. */
  readonly isFirm?: boolean
}

/** What stands in front of a mark (`v1` of `v1.tag.order`), and behind it. */
interface Marked {
  readonly before: string
  readonly after: readonly string[]
  readonly directory: Directory
}

/** Words that say what stands in front of them. */
export const marks: ReadonlyMap<string, (marked: Marked) => Found | undefined> = new Map([
  ['instance', anInstance],
  ['tag', aTag],
  ['_tcp', marked => aPort(marked, 'tcp')],
  ['_udp', marked => aPort(marked, 'udp')],
])

/** `7f000001.addr`. */
export function anAddress(labels: readonly string[]): Found | undefined {
  const [hex = '', word] = labels
  const ip = labels.length === 2 && word === 'addr' ? addressOfHex(hex) : undefined
  return ip === undefined ? undefined : { meaning: { kind: 'address', ip } }
}

/** `SERVICE[.ZONE][.NAMESPACE.ns]`. */
export function aService(labels: readonly string[], directory: Directory): Found | undefined {
  return about(placeOf(labels, directory), {})
}

/** The first mark that makes sense, or else a plain name: services, zones and ids may be called like marks. */
export function aServiceOrMarked(labels: readonly string[], directory: Directory): Found | undefined {
  let isFirst = true
  for (const [index, label] of labels.entries()) {
    const read = index === 0 ? undefined : marks.get(label)
    if (read === undefined) continue
    const before = labels.slice(0, index).join('.')
    const found = read({ before, after: labels.slice(index + 1), directory })
    if (found !== undefined) return isFirst ? found : { ...found, isFirm: false }
    isFirst = false
  }
  const found = aService(labels, directory)
  return found === undefined || isFirst ? found : { ...found, isFirm: false }
}

/** `v1.tag.order` behind the mark of a port. */
export function aTagged(
  labels: readonly string[],
  directory: Directory,
  more: Pick<ServiceMeaning, 'port'> = {},
): Found | undefined {
  const mark = labels.indexOf('tag', 1)
  if (mark < 0) return undefined
  const tag = labels.slice(0, mark).join('.')
  const found = about(placeOf(labels.slice(mark + 1), directory), { ...more, tag })
  return found && { ...found, isFirm: false }
}

function anInstance({ before: id, after, directory }: Marked): Found | undefined {
  const place = placeOf(after, directory)
  if (place === undefined || place.zone !== undefined) return undefined
  const { known, isFirm, namespace, service } = place
  if (instanceCalled(known.set, id) === undefined) return undefined
  return { meaning: { kind: 'instance', namespace, service, id }, known, isFirm }
}

function aTag({ before: tag, after, directory }: Marked): Found | undefined {
  return about(placeOf(after, directory), { tag })
}

/** `_http._tcp.order`: a port of what follows; `_order._tcp` and `_order._tcp.zone-a`: a service, and where. */
function aPort({ before, after, directory }: Marked, transport: WantedPort['transport']): Found | undefined {
  if (!before.startsWith('_')) return undefined
  const name = before.slice(1)
  const service = placeOfService(name, after, directory)
  if (service?.isFirm) return about(service, { port: { transport } })
  return (
    about(placeOf(after, directory), { port: { name, transport } }) ??
    aTagged(after, directory, { port: { name, transport } }) ??
    about(service, { port: { transport } })
  )
}

/** Only what somebody in the service has is a name. */
function about(place: Place | undefined, more: Pick<ServiceMeaning, 'tag' | 'port'>): Found | undefined {
  if (place === undefined) return undefined
  const { known, isFirm } = place
  const meaning = serviceMeaning(place, more)
  return hasMatching(known.set, meaning) ? { meaning, known, isFirm } : undefined
}
