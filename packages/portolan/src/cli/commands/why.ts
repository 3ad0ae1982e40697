import { eligible, type Instance, type InstanceName } from '@portolan/core'
import { type ApiClient, withApi } from '../api/client.ts'
import { inNamespace, listInstances, pathOf } from '../api/instances.ts'
import { instanceNamed } from '../api/named.ts'
import { type Command, wantsJson } from '../command.ts'
import { type Reasons, reasonsText } from '../text/why.ts'

export const why: Command = {
  name: 'why',
  summary: 'say why an instance gets traffic or not: its causes, its checks and what happened to it',
  details: 'Ends with 0 whether the instance is healthy or not.',
  args: [
    { name: 'SERVICE', summary: 'the service; may be left out where the id is unique', optional: true },
    { name: 'ID', summary: 'the instance', optional: true },
  ],
  options: [{ flags: '--service <service>', summary: 'the service, in place of SERVICE' }],
  examples: [
    ['portolan why order-1', 'what there is to say of the instance with this id'],
    [
      'portolan why order-1 --service order --json',
      'the same, where several services have one, for programs',
    ],
  ],
  async run(invocation, io) {
    const asJson = wantsJson(invocation)
    const [reasons, failsOpen] = await withApi(invocation, io, async api => {
      const name = await instanceNamed(api, invocation)
      const found = await api.get<Reasons>(pathOf(name, 'why'), inNamespace(name))
      return [found, !asJson && !found.healthy && (await isPickedAllTheSame(api, name))] as const
    })
    io.out(asJson ? `${JSON.stringify(reasons)}\n` : reasonsText(reasons, io.colours, failsOpen))
    return 0
  },
}

/** Whether picks fail open to it, as everybody who picks does where all instances have causes. */
async function isPickedAllTheSame(api: ApiClient, name: InstanceName): Promise<boolean> {
  const { instances } = await listInstances(api, { namespace: name.namespace, service: name.service })
  const { panic, endpoints } = eligible(instances.map(endpointOf))
  return panic && endpoints.some(({ instance }) => instance.id === name.id)
}

const endpointOf = (instance: Instance) => ({ weight: instance.weight, instance })
