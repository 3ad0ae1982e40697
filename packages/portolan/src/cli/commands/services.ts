import { defaultNamespace, serviceKey } from '@portolan/core'
import { withApi } from '../api/client.ts'
import { listServices } from '../api/instances.ts'
import { type Command, flagOption, namespaceOf, wantsJson } from '../command.ts'
import { printable } from '../text/instance.ts'
import { table } from '../text/table.ts'

export const services: Command = {
  name: 'services',
  summary: 'list the services that are registered',
  options: [{ flags: '--all', summary: 'of every namespace' }],
  examples: [
    ['portolan services', 'the services of the default namespace'],
    ['portolan services --all --json', 'those of every namespace, as JSON'],
  ],
  async run(invocation, io) {
    const namespace = flagOption(invocation, 'all') ? undefined : namespaceOf(invocation)
    const found = await withApi(invocation, io, api => listServices(api, namespace))
    if (wantsJson(invocation)) io.out(`${JSON.stringify(found)}\n`)
    else if (found.length === 0) io.out(`no service is registered${where(namespaceOf(invocation))}\n`)
    else {
      const rows = found.map(service => [
        printable(serviceKey(service)),
        String(service.instances),
        String(service.healthy),
      ])
      io.out(table(['SERVICE', 'INSTANCES', 'HEALTHY'], rows))
    }
    return 0
  },
}

const where = (namespace: string): string => (namespace === defaultNamespace ? '' : ` in ${namespace}`)
