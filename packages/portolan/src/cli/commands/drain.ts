import { formatDuration, type Instance } from '@portolan/core'
import { type ApiClient, withApi } from '../api/client.ts'
import { inNamespace, pathOf } from '../api/instances.ts'
import { instanceNamed } from '../api/named.ts'
import {
  type Command,
  durationOption,
  type ExitCode,
  flagOption,
  type Invocation,
  type Io,
  wantsJson,
} from '../command.ts'
import { instanceTable } from '../text/instance.ts'

export const drain: Command = {
  name: 'drain',
  summary: 'take an instance out of the traffic, and wait until nobody picks it any more',
  details:
    'Ends with 0 when every subscriber has acknowledged, with 1 when the grace time was over first. The instance stays registered and drained either way.',
  args: [
    { name: 'SERVICE', summary: 'the service; may be left out where the id is unique', optional: true },
    { name: 'ID', summary: 'the instance', optional: true },
  ],
  options: [
    { flags: '--grace <duration>', summary: 'how long to wait for subscribers at most', fallback: '30s' },
    { flags: '--no-wait', summary: 'start draining, and do not wait' },
    { flags: '--undo', summary: 'take a drain back: the instance gets traffic again' },
  ],
  examples: [
    ['portolan drain order order-1', 'drain one instance of order'],
    ['portolan drain order-1 --grace 2m', 'the same by its id alone, with more patience'],
    ['portolan drain order order-1 --undo', 'it was the wrong one'],
  ],
  run: (invocation, io) =>
    withApi(invocation, io, api =>
      flagOption(invocation, 'undo') ? undo(api, invocation, io) : drainOne(api, invocation, io),
    ),
}

async function drainOne(api: ApiClient, invocation: Invocation, io: Io): Promise<ExitCode> {
  const graceMs = durationOption(invocation, 'grace') ?? 30_000
  const name = await instanceNamed(api, invocation)
  const wait = invocation.options.wait !== false
  const query = { ...inNamespace(name), grace: formatDuration(graceMs), ...(wait ? {} : { wait: 'false' }) }
  const sent = api.send<{ acknowledged: boolean } | undefined>('POST', pathOf(name, 'drain'), { query })
  const answer = await withProgress(sent, `draining ${name.service} ${name.id}`, graceMs, io)
  const acknowledged = answer?.acknowledged
  if (wantsJson(invocation)) io.out(`${JSON.stringify({ ...name, acknowledged: acknowledged ?? null })}\n`)
  else if (acknowledged === undefined) io.out(`${name.id} is draining\n`)
  else if (acknowledged) io.out(`${name.id} is drained: every subscriber has let go of it\n`)
  else io.out(`${name.id} is draining; some subscribers did not answer within ${formatDuration(graceMs)}\n`)
  return acknowledged === false ? 1 : 0
}

async function undo(api: ApiClient, invocation: Invocation, io: Io): Promise<ExitCode> {
  const name = await instanceNamed(api, invocation)
  const instance = await api.send<Instance>('DELETE', pathOf(name, 'drain'), { query: inNamespace(name) })
  io.out(wantsJson(invocation) ? `${JSON.stringify(instance)}\n` : instanceTable([instance], io.colours))
  return 0
}

/** Tells those who watch that time passes. */
async function withProgress<T>(work: Promise<T>, what: string, graceMs: number, io: Io): Promise<T> {
  if (!io.live) return work
  let seconds = 0
  const timer = setInterval(() => {
    seconds += 1
    io.err(`\r${what}: ${seconds}s of at most ${formatDuration(graceMs)}`)
  }, 1000)
  try {
    return await work
  } finally {
    clearInterval(timer)
    if (seconds > 0) io.err('\n')
  }
}
