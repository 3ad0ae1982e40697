import type { Clock, HostPort, Milliseconds, Random } from '@portolan/core'
import { Fault, formatHostPort, parseIp } from '@portolan/core'
import type { Registry } from 'prom-client'
import type { Log } from '../../observe/log.ts'
import { AnswerCache } from './cache/answer-cache.ts'
import { noCounts } from './counts.ts'
import type { Forwarder } from './forwarder.ts'
import { exportForwardMetrics } from './metrics.ts'
import type { Timers } from './timers.ts'
import { type Exchange, exchangeOver } from './upstream/exchange.ts'
import { Upstream } from './upstream/upstreams.ts'
import { UpstreamForwarder } from './upstream-forwarder.ts'

export interface ForwarderOptions {
  /** Addresses, in the order in which they are asked. None: everything is refused. */
  readonly upstreams: readonly HostPort[]
  /** All that an answer may take. */
  readonly timeoutMs: Milliseconds
  /** Answers that are kept, at most, and as many KiB; 0 = none. */
  readonly cacheSize: number
  /** Seconds that reverse names that nobody is asked for may be denied for. */
  readonly negativeTtl: number
  readonly clock: Clock
  readonly timers: Timers
  /** Not to be guessed by others (`node:crypto`): what a forged answer would have to know is drawn from it. */
  readonly random: Random
  readonly log: Log
  readonly metrics: Registry
  /** How upstreams are asked. Default: UDP and TCP. */
  readonly exchange?: Exchange
}

/**
 * Asks others for what is not ours to say, and remembers what they said.
 * @throws Fault `config_invalid` where an upstream is named by anything but its address
 */
export function openForwarder(options: ForwarderOptions): Forwarder {
  const { clock, timers, random, log, timeoutMs, negativeTtl } = options
  for (const { host, port } of options.upstreams) refuseName(host, port)
  const upstreams = options.upstreams.map(address => new Upstream(address, log))
  const strayed = (address: HostPort): void => {
    const upstream = upstreams.find(one => one.address === address)
    if (upstream !== undefined) upstream.strays++
  }
  const exchange = options.exchange ?? exchangeOver({ clock, random, strayed })
  const cache = new AnswerCache(options.cacheSize, clock)
  const counts = noCounts()
  const shown = exportForwardMetrics({ upstreams, cache, counts }, options.metrics)
  return new UpstreamForwarder({
    upstreams,
    exchange,
    cache,
    counts,
    shown,
    clock,
    timers,
    timeoutMs,
    negativeTtl,
    log,
  })
}

function refuseName(host: string, port: number): void {
  if (parseIp(host) !== undefined) return
  throw new Fault('config_invalid', `the resolver ${formatHostPort(host, port)} is named, not addressed`, {
    source: 'caller',
    hint: 'write its IP address, as 10.0.0.2:53: nobody could look its name up',
  })
}
