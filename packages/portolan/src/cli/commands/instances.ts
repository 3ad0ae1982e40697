import { withApi } from '../api/client.ts'
import { listInstances } from '../api/instances.ts'
import { type Command, flagOption, namespaceOf, textOption, wantsJson } from '../command.ts'
import { instanceTable, nothingKnown } from '../text/instance.ts'

export const instances: Command = {
  name: 'instances',
  summary: 'list the instances of a service, and why some get no traffic',
  args: [{ name: 'SERVICE', summary: 'the service' }],
  options: [
    { flags: '--healthy', summary: 'only those that nothing speaks against' },
    { flags: '--zone <zone>', summary: 'only those in this zone' },
    { flags: '--tag <tag>', summary: 'only those with this tag' },
  ],
  examples: [
    ['portolan instances order', 'all instances of order'],
    ['portolan instances order --healthy --zone a', 'the healthy ones in zone a'],
  ],
  async run(invocation, io) {
    const [service = ''] = invocation.args
    const name = { namespace: namespaceOf(invocation), service }
    const filter = {
      healthy: flagOption(invocation, 'healthy') ? 'true' : undefined,
      zone: textOption(invocation, 'zone'),
      tag: textOption(invocation, 'tag'),
    }
    const list = await withApi(invocation, io, api => listInstances(api, name, filter))
    if (wantsJson(invocation)) io.out(`${JSON.stringify(list)}\n`)
    else if (list.instances.length === 0) io.out(nothingKnown(name))
    else io.out(instanceTable(list.instances, io.colours))
    return 0
  },
}
