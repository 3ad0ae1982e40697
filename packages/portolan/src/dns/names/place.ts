import { defaultNamespace } from '@portolan/core'
import type { Directory, KnownService } from '../directory/directory.ts'
import type { ServiceMeaning } from './meaning.ts'

/** A service as a name says it, and the zone that the name asks for. */
export interface Place {
  readonly known: KnownService
  readonly namespace: string
  readonly service: string
  readonly zone?: string
  /** Whatever services come and go, as long as this one stays the name is its name. */
  readonly isFirm: boolean
}

/** What a name asks of the service, without how the name was put. */
export function serviceMeaning(
  place: Pick<Place, 'namespace' | 'service' | 'zone'>,
  more: Pick<ServiceMeaning, 'tag' | 'port'> = {},
): ServiceMeaning {
  const { namespace, service, zone } = place
  return { kind: 'service', namespace, service, ...(zone === undefined ? {} : { zone }), ...more }
}

/**
 * `SERVICE[.ZONE][.NAMESPACE.ns]`, where each part may have dots. The longest known name of a service wins; a name that ends
 * in `ns` speaks of a namespace, or else is the whole name of a service.
 */
export function placeOf(labels: readonly string[], directory: Directory): Place | undefined {
  for (const { namespace, inner, isFirst } of namespacesIn(labels)) {
    for (let length = inner.length; length > 0; length--) {
      const service = inner.slice(0, length).join('.')
      const known = directory.service(namespace, service)
      if (known === undefined) continue
      const place = { known, namespace, service, isFirm: isFirst && length === inner.length }
      return length === inner.length ? place : { ...place, zone: inner.slice(length).join('.') }
    }
  }
  const whole = labels.join('.')
  const known = directory.service(defaultNamespace, whole)
  return known && { known, namespace: defaultNamespace, service: whole, isFirm: false }
}

/** `[ZONE][.NAMESPACE.ns]` behind the name of a service that was said before. */
export function placeOfService(
  service: string,
  labels: readonly string[],
  directory: Directory,
): Place | undefined {
  for (const { namespace, inner, isFirst } of namespacesIn(labels)) {
    const known = directory.service(namespace, service)
    if (known === undefined) continue
    const isWhole = inner.length === 0
    const place = { known, namespace, service, isFirm: isFirst && isWhole }
    return isWhole ? place : { ...place, zone: inner.join('.') }
  }
  return undefined
}

interface InNamespace {
  readonly namespace: string
  readonly inner: readonly string[]
  readonly isFirst: boolean
}

/** What may be said of the namespace at the end; one without dots comes first. */
function namespacesIn(labels: readonly string[]): readonly InNamespace[] {
  if (labels.at(-1) !== 'ns') return [{ namespace: defaultNamespace, inner: labels, isFirst: true }]
  const found: InNamespace[] = []
  for (let start = labels.length - 2; start >= 0; start--) {
    const namespace = labels.slice(start, -1).join('.')
    found.push({ namespace, inner: labels.slice(0, start), isFirst: found.length === 0 })
  }
  return found
}
