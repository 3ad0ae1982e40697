import { randomInt } from 'node:crypto'
import {
  type Clock,
  formatHostPort,
  type HostPort,
  isUnspecified,
  parseIp,
  type Random,
} from '@portolan/core'
import type { Registry as Metrics } from 'prom-client'
import type { Log } from '../observe/log.ts'
import type { OpenDirectory } from './directory/open-directory.ts'
import { openForwarder } from './forward/open-forwarder.ts'
import type { Timers } from './forward/timers.ts'
import { Answerer } from './server/answerer.ts'
import { DnsMetrics } from './server/metrics.ts'
import { openPair, type Pair } from './server/pair.ts'
import { exportTcpMetrics, TcpCounts } from './server/tcp/metrics.ts'
import type { DnsSettings } from './settings.ts'
import { ClientTrust } from './trust/client-trust.ts'
import { exportTrustMetrics } from './trust/metrics.ts'

export interface DnsServerOptions {
  /** Over UDP and TCP. */
  readonly listen: readonly HostPort[]
  readonly settings: DnsSettings
  readonly directory: OpenDirectory
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

export interface DnsServer {
  /** `host:port`, as they listen. */
  readonly addresses: readonly string[]
  close(): Promise<void>
}

/** The same trouble is told once in so long: whoever makes it may make a lot. */
const logEveryMs = 10_000

/** What can't be foreseen, as {@link Random} has it: upstreams are asked with ids and ports that are drawn from it. */
const unforeseeable: Random = () => randomInt(2 ** 47) / 2 ** 47

/**
 * Answers for the directory on each address; on all of them, or none.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { listen, settings, directory, clock, timers, random, log, metrics } = options
  const trust = new ClientTrust({ trusted: settings.trusted, clock })
  exportTrustMetrics(trust.counts, metrics)
  const tcpCounts = new TcpCounts()
  exportTcpMetrics(tcpCounts, metrics)
  const counts = new DnsMetrics()
  counts.expose(metrics, directory)
  const forwarder =
    settings.forward.upstreams.length === 0
      ? undefined
      : openForwarder({
          ...settings.forward,
          negativeTtl: settings.negativeTtl,
          clock,
          timers,
          random: unforeseeable,
          log,
          metrics,
        })
  const answerer = new Answerer({
    context: { directory, settings, addresses: reachable(listen) },
    directory,
    trust,
    forwarder,
    random,
    metrics: counts,
    udpSize: settings.udpSize,
  })
  let toldAt = Number.NEGATIVE_INFINITY
  const failed = (error: unknown): void => {
    counts.failed++
    if (clock.now() - toldAt < logEveryMs) return
    toldAt = clock.now()
    log.error({ err: error }, 'a DNS query over UDP was not answered')
  }
  const pairs: Pair[] = []
  const close = async (): Promise<void> => {
    await Promise.all(pairs.map(pair => pair.close()))
    await forwarder?.close()
  }
  try {
    for (const address of listen) {
      const udp = { answer: (message: Buffer, from: string) => answerer.udp(message, from), failed }
      const handle = (message: Buffer, from: { readonly address: string }) =>
        answerer.tcp(message, from.address)
      pairs.push(await openPair(address, udp, { handle, log, counts: tcpCounts }))
    }
  } catch (fault) {
    await close()
    throw fault
  }
  return { addresses: pairs.map(({ host, port }) => formatHostPort(host, port)), close }
}

/** What others may be told of where we are: no name, and no "any". */
function reachable(listen: readonly HostPort[]): readonly string[] {
  const hosts = listen.map(({ host }) => host)
  return [...new Set(hosts.filter(host => parseIp(host) !== undefined && !isUnspecified(host)))]
}
