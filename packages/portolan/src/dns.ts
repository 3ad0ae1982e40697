import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { openResolver } from '@portolan/client'
import type { HostPort } from '@portolan/core'
import { collectDefaultMetrics, Registry as Metrics } from 'prom-client'
import { openDirectory } from './dns/directory/open-directory.ts'
import { realTimers as timers } from './dns/forward/timers.ts'
import { openDnsServer } from './dns/open-dns-server.ts'
import type { DnsSettings } from './dns/settings.ts'
import type { Log } from './observe/log.ts'
import { openAdmin } from './proxy/admin.ts'

export interface DnsOptions {
  /** The registries to join: any of them that answers. */
  readonly join: readonly string[]
  /** Over UDP and TCP. */
  readonly listen: readonly HostPort[]
  readonly admin: HostPort
  readonly settings: DnsSettings
  readonly token?: string
  /** Ends the wait for a registry at the start. */
  readonly signal?: AbortSignal
  readonly log: Log
}

export interface Dns {
  /** `host:port`, as they listen. */
  readonly addresses: readonly string[]
  readonly admin: string
  /** Resolves when a registry has answered; rejects after `timeoutMs`. It goes on trying either way. */
  whenJoined(timeoutMs: number): Promise<void>
  /** Answers nobody any more, and says goodbye to the registry when the TTL of the last answer is over, 8 s later at most. */
  close(): Promise<void>
}

const clock = { now: () => performance.now() }

/**
 * For how long the port stays closed while no registry has told what there is. Clients take a refused question to the next
 * server at once, and an answer for an answer; so a server that is started anew opens its port with its names in its hands.
 */
const closedMs = 3000

/**
 * For how long the session outlasts the sockets, at most: whoever supervises us gives us 10 s. Its end tells the registry
 * that nobody goes by our answers, and drains end with it.
 */
const longestFarewellMs = 8000

/**
 * Composes the DNS server alone, over a resolver that has a session with a registry. It serves what it knew last for as long
 * as no registry answers; before one has told what there is, its own names get SERVFAIL.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { join, listen, settings, log } = options
  const metrics = new Metrics()
  collectDefaultMetrics({ register: metrics })
  const resolver = openResolver({
    urls: join,
    kind: 'proxy',
    ...(options.token === undefined ? {} : { token: options.token }),
    onFault: fault => log.warn({ code: fault.code }, fault.message),
  })
  const opened: (() => Promise<unknown> | undefined)[] = [() => resolver.close()]
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) {
      try {
        await end()
      } catch (error) {
        log.error({ err: error }, 'a part of DNS did not end as it should')
      }
    }
  }
  try {
    const directory = openDirectory({ resolver, clock, timers, ttlMs: settings.ttl * 1000 })
    opened.push(async () => directory.close())
    const admin = await openAdmin({ listen: options.admin, metrics, ready: () => directory.ready })
    opened.push(() => admin.close())
    opened.push(() => wait(Math.min(longestFarewellMs, Math.max(0, directory.heldUntil - clock.now()))))
    await Promise.race([
      directory.whenReady(),
      wait(closedMs, undefined, {
        ref: false,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }).catch(() => {}),
    ])
    const server = await openDnsServer({
      listen,
      settings,
      directory,
      clock,
      timers,
      random: Math.random,
      log,
      metrics,
    })
    opened.push(() => server.close())
    return {
      addresses: server.addresses,
      admin: admin.address,
      whenJoined: timeoutMs => resolver.whenConnected(timeoutMs),
      close,
    }
  } catch (thrown) {
    await close()
    throw thrown
  }
}
