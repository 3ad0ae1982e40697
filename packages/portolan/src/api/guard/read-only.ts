import { Fault, type Instance, type InstanceName, serviceKey } from '@portolan/core'
import type { DeclaredAt } from '../../config/declared.ts'

/**
 * What the configuration file names, nobody registers.
 * @throws Fault `read_only` naming file and line
 */
export function checkUndeclared(declaredAt: DeclaredAt, name: InstanceName): void {
  const place = declaredAt(name)
  if (place === undefined) return
  throw new Fault('read_only', `${serviceKey(name)}/${name.id} is declared in ${place}`, {
    source: 'caller',
    hint: `edit ${place} and reload; an override or a drain needs no edit`,
  })
}

/**
 * What the configuration file registered, nobody else removes. Somebody who held the id before the file named it
 * may leave.
 * @throws Fault `read_only` naming file and line
 */
export function checkRemovable(
  declaredAt: DeclaredAt,
  name: InstanceName,
  registered: Instance | undefined,
): void {
  if (registered === undefined || registered.source === 'config') checkUndeclared(declaredAt, name)
}
