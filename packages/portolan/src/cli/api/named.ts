import type { InstanceName } from '@portolan/core'
import { type Invocation, namespaceOf, textOption, usage } from '../command.ts'
import type { ApiClient } from './client.ts'
import { findInstance } from './instances.ts'

/**
 * The instance that a command line means: `SERVICE ID`, or `ID` alone with `--service` or where it is unique.
 * @throws Fault `invalid_request`, `instance_not_found`
 */
export async function instanceNamed(api: ApiClient, invocation: Invocation): Promise<InstanceName> {
  const [first, second] = invocation.args
  const namespace = namespaceOf(invocation)
  if (first === undefined) throw usage('which instance?', 'write SERVICE ID, or ID alone where it is unique')
  const option = textOption(invocation, 'service')
  if (second !== undefined) {
    if (option === undefined || option === first) return { namespace, service: first, id: second }
    throw usage(`which service, ${first} or ${option}?`, 'name it once')
  }
  return option === undefined
    ? findInstance(api, namespace, first)
    : { namespace, service: option, id: first }
}
