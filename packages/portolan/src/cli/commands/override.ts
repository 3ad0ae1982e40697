import type { Instance } from '@portolan/core'
import { type ApiClient, withApi } from '../api/client.ts'
import { inNamespace, pathOf } from '../api/instances.ts'
import {
  type Command,
  flagOption,
  type Invocation,
  type Io,
  namespaceOf,
  numberOption,
  textOption,
  usage,
  wantsJson,
} from '../command.ts'
import { instanceTable } from '../text/instance.ts'

export const override: Command = {
  name: 'override',
  summary: 'set an instance’s weight, or take it out of service, until told otherwise',
  details:
    'An override survives restarts of the instance and of the registry. A new one replaces the old one.',
  args: [
    { name: 'SERVICE', summary: 'the service' },
    { name: 'ID', summary: 'the instance' },
  ],
  options: [
    {
      flags: '--weight <n>',
      summary: 'the share of traffic in place of the registered one; 0 = no new traffic',
    },
    { flags: '--out-of-service', summary: 'no traffic at all' },
    { flags: '--reason <text>', summary: 'why, for those who wonder later' },
    { flags: '--clear', summary: 'take all overrides back' },
  ],
  examples: [
    ['portolan override order order-1 --weight 5', 'five times an ordinary share'],
    ['portolan override order order-1 --out-of-service --reason "bad disk"', 'out, and why'],
    ['portolan override order order-1 --clear', 'as it registered'],
  ],
  async run(invocation, io) {
    const asked = askedFor(invocation)
    return await withApi(invocation, io, api => send(api, invocation, asked, io))
  },
}

function askedFor(invocation: Invocation): Readonly<Record<string, unknown>> {
  const weight = numberOption(invocation, 'weight', [0, 1_000_000])
  const outOfService = flagOption(invocation, 'outOfService')
  const reason = textOption(invocation, 'reason')
  const nothing = weight === undefined && !outOfService
  if (flagOption(invocation, 'clear')) {
    if (nothing) return {}
    throw usage('--clear takes all overrides back: it goes with no other')
  }
  if (nothing) throw usage('override what?', 'give --weight, --out-of-service or --clear')
  return {
    ...(weight === undefined ? {} : { weight }),
    ...(outOfService ? { outOfService } : {}),
    ...(reason === undefined ? {} : { reason }),
  }
}

async function send(api: ApiClient, invocation: Invocation, body: unknown, io: Io): Promise<number> {
  const [service = '', id = ''] = invocation.args
  const name = { namespace: namespaceOf(invocation), service, id }
  const instance = await api.send<Instance>('PUT', pathOf(name, 'override'), {
    query: inNamespace(name),
    body,
  })
  io.out(wantsJson(invocation) ? `${JSON.stringify(instance)}\n` : instanceTable([instance], io.colours))
  return 0
}
