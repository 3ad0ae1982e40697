import { type Instance, isHealthy } from '@portolan/core'
import type { InstanceQuery } from './shapes.ts'

export type Filter = (instance: Instance) => boolean

/** What a query asks for; `undefined` when it asks for all. */
export function filterOf(query: Pick<InstanceQuery, 'healthy' | 'zone' | 'tag'>): Filter | undefined {
  const { healthy, zone, tag } = query
  if (healthy === undefined && zone === undefined && tag === undefined) return undefined
  return instance =>
    (healthy === undefined || isHealthy(instance) === healthy) &&
    (zone === undefined || instance.zone === zone) &&
    (tag === undefined || tag.every(wanted => instance.tags.includes(wanted)))
}
