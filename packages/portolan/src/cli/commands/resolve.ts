import {
  type BalanceSettings,
  type Caller,
  Fault,
  isPolicyName,
  type PolicyName,
  parseCursor,
  policyNames,
  suggestion,
} from '@portolan/core'
import { hasIPv6Loopback } from '../../config/ipv6-loopback.ts'
import { listenAddresses } from '../../config/resolve.ts'
import { gatewayName } from '../../lb.ts'
import { withApi } from '../api/client.ts'
import { listInstances, readBalancer } from '../api/instances.ts'
import {
  type Command,
  type Invocation,
  type Io,
  namespaceOf,
  textOption,
  usage,
  wantsJson,
  wholeOption,
} from '../command.ts'
import { type Question, type Spread, spreadOf } from '../spread.ts'
import { printable } from '../text/instance.ts'
import { table } from '../text/table.ts'

const mostPicks = 1_000_000

export const resolve: Command = {
  name: 'resolve',
  summary: 'show what a gateway would pick now: shares, and why an instance gets none',
  details:
    'Picks as a gateway does that sees the service for the first time: by the balancer that the configuration gives to the ' +
    'service, its subset and keys, by priorities and, with --zone, by zones; some picks are always under way. It does not ' +
    'know what only a process that picks knows: latencies, its own requests in flight, its outliers, who is in slow start.',
  args: [{ name: 'SERVICE', summary: 'the service' }],
  options: [
    {
      flags: '--policy <name>',
      summary: `in place of the configured one: ${policyNames.join(', ')}`,
    },
    { flags: '--zone <zone>', summary: 'the zone that the caller is in' },
    {
      flags: '--client <name>',
      summary:
        'whose subset: HOST LISTEN of a gateway, as "box 10.0.0.5:80", or HOST PID of a program (default: that of `portolan up` here)',
    },
    {
      flags: '--hash-key <key>',
      summary: 'the key of all requests (default: where the service has hashBy, a key each)',
    },
    {
      flags: '--count <n>',
      summary:
        'pick so often, and show how often each was picked (default: 100,000; 1,000,000 for large services)',
    },
  ],
  examples: [
    ['portolan resolve order', 'each instance with its share of the requests'],
    ['portolan resolve order --zone eu-1a', 'as a caller in that zone sees it'],
    ['portolan resolve cart --hash-key user-42', 'where that key goes'],
    ['portolan resolve order --count 1000 --policy random', 'how 1,000 picks of another policy spread'],
  ],
  async run(invocation, io) {
    const [service = ''] = invocation.args
    const name = { namespace: namespaceOf(invocation), service }
    const asked = askedOf(invocation)
    const { list, balancer } = await withApi(invocation, io, async api => {
      const [known, configured] = await Promise.all([listInstances(api, name), readBalancer(api, name)])
      return { list: known, balancer: configured }
    })
    const { instances, cursor } = list
    const count = asked.count ?? (instances.length > 1000 ? mostPicks : mostPicks / 10)
    const balance: BalanceSettings = {
      ...balancer,
      ...(asked.policy === undefined ? {} : { policy: asked.policy }),
    }
    const question = { ...asked, balance, count }
    const spread = spreadOf({ ...name, instances, cursor: parseCursor(cursor) }, question, Math.random)
    if (!spread.picks.some(({ picked }) => picked > 0)) {
      throw new Fault('no_instance_available', `${printable(service)} has no instance that may be picked`, {
        source: 'upstream',
        retryable: true,
        hint: instances.length === 0 ? 'none is registered' : `\`portolan instances ${service}\` says why`,
      })
    }
    if (wantsJson(invocation)) {
      const { zone, client } = asked.caller
      io.out(`${JSON.stringify({ ...balance, zone, client, hashKey: asked.hashKey, count, ...spread })}\n`)
    } else tell(spread, question, asked.count !== undefined, io)
    return 0
  },
}

interface Asked {
  readonly policy?: PolicyName
  readonly caller: Caller & { readonly client: string }
  readonly hashKey?: string
  readonly count?: number
}

/** @throws Fault `invalid_request` */
function askedOf(invocation: Invocation): Asked {
  const policy = textOption(invocation, 'policy')
  const zone = textOption(invocation, 'zone')
  const hashKey = textOption(invocation, 'hashKey')
  const count = wholeOption(invocation, 'count', [1, mostPicks])
  // What `portolan up` calls its gateway where the configuration says nothing.
  const local = () => gatewayName(listenAddresses(undefined, 7480, hasIPv6Loopback()))
  return {
    ...(policy === undefined ? {} : { policy: checkPolicyName(policy) }),
    caller: { client: textOption(invocation, 'client') ?? local(), ...(zone === undefined ? {} : { zone }) },
    // An empty key is none, as for a gateway.
    ...(hashKey === undefined || hashKey === '' ? {} : { hashKey }),
    ...(count === undefined ? {} : { count }),
  }
}

function checkPolicyName(name: string): PolicyName {
  if (isPolicyName(name)) return name
  throw usage(`--policy ${name}: not known`, suggestion(name, policyNames))
}

function tell({ panic, picks }: Spread, question: Question, withCounts: boolean, io: Io): void {
  if (panic) io.err('every instance carries a cause: clients pick among the least bad\n')
  io.err(`${printable(wayOf(question))}\n`)
  const withReasons = picks.some(({ reason }) => reason !== undefined)
  const rows = picks.map(({ address, id, weight, share, picked, reason = '' }) => [
    address,
    printable(id),
    String(weight),
    `${(share * 100).toFixed(1)} %`,
    ...(withCounts ? [String(picked)] : []),
    ...(withReasons ? [printable(reason)] : []),
  ])
  const counts = withCounts ? ['PICKED'] : []
  const reasons = withReasons ? ['WHY NONE'] : []
  io.out(table(['ADDRESS', 'ID', 'WEIGHT', 'SHARE', ...counts, ...reasons], rows))
}

/** `picked by ring-hash, keys by cookie:sid, from zone a, among the 2 of "box 127.0.0.1:7480"`. */
function wayOf({ balance, caller, hashKey }: Question): string {
  const { policy, hashBy, subset = 0 } = balance
  const parts = [`picked by ${policy}`]
  if (hashKey !== undefined) parts.push(`all with the key ${JSON.stringify(hashKey)}`)
  else parts.push(hashBy === undefined ? 'without keys' : `each with a key of its own (${hashBy})`)
  parts.push(caller.zone === undefined ? 'from no zone' : `from zone ${caller.zone}`)
  if (subset > 0) parts.push(`subset of ${subset} for "${caller.client}"`)
  return parts.join(', ')
}
