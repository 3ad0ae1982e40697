import {
  Balancer,
  eligible,
  Fault,
  formatHostPort,
  type InstanceSet,
  parseCursor,
  policyByName,
  policyNames,
} from '@portolan/core'
import { withApi } from '../api/client.ts'
import { listInstances } from '../api/instances.ts'
import { type Command, namespaceOf, numberOption, textOption, wantsJson } from '../command.ts'
import { printable } from '../text/instance.ts'
import { table } from '../text/table.ts'

export const resolve: Command = {
  name: 'resolve',
  summary: 'show what a client would pick now: address, weight, share',
  args: [{ name: 'SERVICE', summary: 'the service' }],
  options: [
    { flags: '--count <n>', summary: 'pick so often, and count', fallback: '0' },
    { flags: '--policy <name>', summary: `one of ${policyNames.join(', ')}`, fallback: 'least-request' },
  ],
  examples: [
    ['portolan resolve order', 'the instances that may be picked'],
    ['portolan resolve order --count 1000 --policy random', 'and how 1,000 picks spread over them'],
  ],
  async run(invocation, io) {
    const [service = ''] = invocation.args
    const name = { namespace: namespaceOf(invocation), service }
    const count = Math.round(numberOption(invocation, 'count', [0, 1_000_000]) ?? 0)
    const policy = policyByName(textOption(invocation, 'policy'))
    const { instances, cursor } = await withApi(invocation, io, api => listInstances(api, name))
    const choice = choose(
      { ...name, instances, cursor: parseCursor(cursor) },
      new Balancer(policy, Math.random),
      count,
    )
    if (choice.picks.length === 0) {
      throw new Fault('no_instance_available', `${printable(service)} has no instance that may be picked`, {
        source: 'upstream',
        retryable: true,
        hint: instances.length === 0 ? 'none is registered' : `\`portolan instances ${service}\` says why`,
      })
    }
    if (wantsJson(invocation)) {
      io.out(`${JSON.stringify(choice)}\n`)
      return 0
    }
    if (choice.panic) io.err('every instance carries a cause: clients pick among the least bad\n')
    const rows = choice.picks.map(pick => [
      pick.address,
      printable(pick.id),
      String(pick.weight),
      percent(pick.share),
      ...(count > 0 ? [String(pick.picked)] : []),
    ])
    io.out(table(['ADDRESS', 'ID', 'WEIGHT', 'SHARE', ...(count > 0 ? ['PICKED'] : [])], rows))
    return 0
  },
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

interface Pick {
  readonly id: string
  readonly address: string
  readonly weight: number
  /** Of all traffic, by weight alone: 0 to 1. */
  readonly share: number
  readonly picked: number
}

/** What may be picked of a set, and how `count` picks that end at once spread over it. */
export function choose(
  set: InstanceSet,
  balancer: Balancer,
  count: number,
): { readonly panic: boolean; readonly picks: readonly Pick[] } {
  balancer.update(set)
  const picked = new Map<string, number>()
  for (let index = 0; index < count; index++) {
    const endpoint = balancer.pick()
    if (endpoint === undefined) break
    balancer.done(endpoint, 'cancelled')
    picked.set(endpoint.id, (picked.get(endpoint.id) ?? 0) + 1)
  }
  const { endpoints, panic } = eligible(balancer.endpoints)
  const total = endpoints.reduce((sum, { weight }) => sum + weight, 0)
  const picks = endpoints.map(({ id, instance, weight }) => ({
    id,
    address: formatHostPort(instance.addresses[0] ?? '', instance.ports[0]?.number ?? 0),
    weight,
    share: weight / total,
    picked: picked.get(id) ?? 0,
  }))
  return { panic, picks }
}
