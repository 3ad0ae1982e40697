import { setTimeout as wait } from 'node:timers/promises'
import { type Departure, type Instance, type ServiceName, toFault } from '@portolan/core'
import { type ApiClient, withApi } from '../api/client.ts'
import type { ServerEvent } from '../api/events.ts'
import { inNamespace, pathOf } from '../api/instances.ts'
import { type Command, flagOption, type Io, namespaceOf, numberOption, wantsJson } from '../command.ts'
import { paint } from '../text/colour.ts'
import { formatAddresses, formatHealth, printable } from '../text/instance.ts'

export const watch: Command = {
  name: 'watch',
  summary: 'show every change of a service as it happens',
  details:
    'One line a change; with --json one JSON object a line: {"event":"snapshot"|"put"|"delete"|"synced","data":…}. When the registry goes away, watch says so and goes on where it was once it is back.',
  args: [{ name: 'SERVICE', summary: 'the service' }],
  options: [
    { flags: '--once', summary: 'end when the connection ends, instead of connecting again' },
    { flags: '--changes <n>', summary: 'end after so many changes' },
  ],
  examples: [
    ['portolan watch order', 'until Ctrl-C'],
    ['portolan watch order --json | jq .data.id', 'for programs'],
  ],
  async run(invocation, io) {
    const [service = ''] = invocation.args
    const name = { namespace: namespaceOf(invocation), service }
    const most = numberOption(invocation, 'changes', [1, Number.MAX_SAFE_INTEGER]) ?? Number.POSITIVE_INFINITY
    const show = wantsJson(invocation) ? jsonLine : textLine
    const following = { name, most, seen: 0, last: undefined }
    const way = flagOption(invocation, 'once') ? follow : followForEver
    await withApi(invocation, io, api => way(api, following, show, io))
    return 0
  },
}

interface Following {
  readonly name: ServiceName
  readonly most: number
  seen: number
  /** The last event's id: where a new connection goes on. */
  last: string | undefined
}

type Show = (event: ServerEvent, io: Io) => string

/** Puts up with a registry that goes away, once it was there. */
async function followForEver(api: ApiClient, following: Following, show: Show, io: Io): Promise<void> {
  let reached = false
  while (!io.signal.aborted && following.seen < following.most) {
    try {
      const before = following.last
      await follow(api, following, show, io)
      reached = reached || following.last !== before
    } catch (thrown) {
      const fault = toFault(thrown)
      reached = reached || following.last !== undefined
      if (io.signal.aborted) return
      if (!reached || fault.code !== 'registry_unreachable') throw fault
      io.err(`${fault.message}; trying again\n`)
    }
    await wait(1000, undefined, { signal: io.signal }).catch(() => {})
  }
}

async function follow(api: ApiClient, following: Following, show: Show, io: Io): Promise<void> {
  const { name } = following
  try {
    for await (const event of api.events(pathOf(name), inNamespace(name), following.last)) {
      following.last = event.id ?? following.last
      io.out(show(event, io))
      if (event.event === 'put' || event.event === 'delete') following.seen += 1
      if (following.seen >= following.most) return
    }
  } catch (thrown) {
    if (!io.signal.aborted) throw thrown
  }
}

function jsonLine({ event, data }: ServerEvent): string {
  return `{"event":${JSON.stringify(event)},"data":${data}}\n`
}

function textLine({ event, data }: ServerEvent, io: Io): string {
  const value: unknown = JSON.parse(data)
  if (event === 'put') return putLine(value as Instance, io.colours)
  if (event === 'delete') {
    const { id, reason } = value as Departure
    return `${paint(io.colours, 'red', '-')} ${printable(id)}  ${reason}\n`
  }
  if (event !== 'snapshot') return ''
  const { instances, cursor } = value as { instances: readonly Instance[]; cursor: string }
  const count = instances.length === 1 ? '1 instance' : `${instances.length} instances`
  return [`= ${count} at ${printable(cursor)}\n`, ...instances.map(one => putLine(one, io.colours))].join('')
}

function putLine(instance: Instance, colours: boolean): string {
  const weight = instance.weight === 1 ? '' : `  weight ${instance.weight}`
  const health = formatHealth(instance, colours)
  return `${paint(colours, 'green', '+')} ${printable(instance.id)}  ${formatAddresses(instance)}  ${health}${weight}\n`
}
