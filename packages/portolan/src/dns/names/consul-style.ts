import { defaultNamespace } from '@portolan/core'
import type { Directory } from '../directory/directory.ts'
import { addressOfHex } from './hex.ts'
import { hasMatching } from './matching.ts'
import type { Meaning } from './meaning.ts'
import { serviceMeaning } from './place.ts'
import type { Found } from './portolan-forms.ts'
import { dataCentre } from './target.ts'

/** What follows the kind of a name: `[.NAMESPACE.ns][.DC[.dc]]`. We are in every data centre. */
interface Tail {
  readonly namespace?: string
}

type Kind = (head: readonly string[], namespace: string, directory: Directory) => Found

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['service', aService],
  ['node', aHost],
  ['addr', anAddress],
])

const nothing: Meaning = { kind: 'nothing' }

/** The name forms of Consul's DNS interface (without its prepared queries, Connect and partitions). */
export function consulMeaning(labels: readonly string[], directory: Directory): Found {
  if (labels.length === 0) return { meaning: { kind: 'apex' } }
  if (labels.length === 1 && labels[0] === 'ns') return { meaning: { kind: 'nameserver' } }
  for (let index = labels.length - 1; index >= 0; index--) {
    const kind = kinds.get(labels[index] ?? '')
    const tail = kind && tailOf(labels.slice(index + 1))
    if (kind === undefined || tail === undefined) continue
    if (index === 0) return { meaning: { kind: 'empty' } }
    return kind(labels.slice(0, index), tail.namespace ?? defaultNamespace, directory)
  }
  return withoutKind(labels, directory)
}

function tailOf(labels: readonly string[]): Tail | undefined {
  const words = labels.at(-1) === 'dc' ? labels.slice(0, -1) : labels
  if (words !== labels && words.length === 0) return undefined
  const mark = words.indexOf('ns')
  const centre = mark < 0 ? words : words.slice(mark + 1)
  if (centre.length > 1 || (words !== labels && centre.length !== 1)) return undefined
  if (mark < 0) return {}
  return mark === 0 ? undefined : { namespace: words.slice(0, mark).join('.') }
}

function aHost(head: readonly string[], _: string, directory: Directory): Found {
  const host = head.join('.')
  return { meaning: directory.hosted(host).length > 0 ? { kind: 'host', host } : nothing }
}

function anAddress([hex = '', ...more]: readonly string[]): Found {
  const ip = more.length === 0 ? addressOfHex(hex) : undefined
  return { meaning: ip === undefined ? nothing : { kind: 'address', ip } }
}

/** `[TAG.]SERVICE`, or `_SERVICE._tcp` and `_SERVICE._TAG` (RFC 2782 style). */
function aService(head: readonly string[], namespace: string, directory: Directory): Found {
  const [first = '', last = ''] = [head[0], head.at(-1)]
  if (head.length > 1 && first.startsWith('_') && last.startsWith('_')) {
    const service = head.slice(0, -1).join('.').slice(1)
    const tag = last === '_tcp' ? undefined : last.slice(1)
    return ofService({ namespace, service, ...(tag === undefined ? {} : { tag }) }, directory) ?? none
  }
  for (let start = 0; start < head.length; start++) {
    const service = head.slice(start).join('.')
    const tag = start === 0 ? {} : { tag: head.slice(0, start).join('.') }
    const found = ofService({ namespace, service, ...tag }, directory)
    if (found !== undefined) return found
  }
  return { meaning: last === '_tcp' && head.length === 1 ? { kind: 'empty' } : nothing }
}

const none: Found = { meaning: nothing }

interface Asked {
  readonly namespace: string
  readonly service: string
  readonly tag?: string
}

/** `undefined`: there is no such service. A tag that nobody in it has makes no name. */
function ofService({ namespace, service, tag }: Asked, directory: Directory): Found | undefined {
  const known = directory.service(namespace, service)
  if (known === undefined) return undefined
  const isSaid = tag !== undefined
  const meaning = serviceMeaning({ namespace, service }, isSaid ? { tag } : {})
  return hasMatching(known.set, meaning) ? { meaning, known, isFirm: !isSaid } : none
}

/** `_order._tcp[.DC]`, where Consul lets one leave out the kind; and names that are above others. */
function withoutKind(labels: readonly string[], directory: Directory): Found {
  const [first = '', second = ''] = labels
  if (first.startsWith('_') && second.startsWith('_')) {
    const tail = tailOf(labels.slice(2))
    return tail === undefined
      ? none
      : aService([first, second], tail.namespace ?? defaultNamespace, directory)
  }
  return { meaning: isAbove(labels, directory) ? { kind: 'empty' } : nothing }
}

/**
 * Any data centre would do, but a name that is none must stay unknown: a search list goes on behind it then. So only our
 * own is a name.
 */
function isAbove(labels: readonly string[], directory: Directory): boolean {
  const [first = '', ...rest] = labels
  if (first === '_tcp') return tailOf(rest) !== undefined
  if (first === dataCentre) return rest.length === 0 || rest.join() === 'dc'
  if (first === 'dc') return rest.length === 0
  if (first === 'ns') return tailOf(rest) !== undefined && !rest.includes('ns')
  const mark = labels.indexOf('ns')
  if (mark < 1 || tailOf(labels) === undefined) return false
  return directory.isAbove(labels.slice(0, mark + 1).join('.'))
}
