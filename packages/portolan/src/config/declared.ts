import type { InstanceName } from '@portolan/core'
import type { LoadedConfig } from './load.ts'
import { formatLine } from './problem.ts'
import { staticMembers } from './resolve.ts'

/** Where a file names an instance, as `portolan.yaml:7`; `undefined` where it does not. */
export type DeclaredAt = (name: InstanceName) => string | undefined

/** The instances that a configuration names, which nobody else may write. */
export function declaredInstances(loaded: LoadedConfig): DeclaredAt {
  const places = new Map(
    staticMembers(loaded.config).flatMap(member => {
      const place = loaded.position(member.path)
      return place === undefined ? [] : [[keyOf(member), formatLine(place)]]
    }),
  )
  return name => places.get(keyOf(name))
}

function keyOf({ namespace, service, id }: InstanceName): string {
  return `${namespace}/${service}/${id}`
}
