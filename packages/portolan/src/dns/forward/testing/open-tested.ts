import { randomBytes } from 'node:crypto'
import { type HostPort, seededRandom } from '@portolan/core'
import { type DecodedPacket, decode } from 'dns-packet'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { Opened } from '../../../proxy/testing/harness.ts'
import type { Query } from '../../codec/query.ts'
import { type ForwarderOptions, openForwarder } from '../open-forwarder.ts'
import { realTimers } from '../timers.ts'

export interface TestedForwarder {
  ask(query: Query): Promise<Buffer>
  /** As dns-packet reads the reply. */
  read(query: Query): Promise<DecodedPacket>
  /** The value of a metric, by its name and the start of its labels: `questions_total{result="cache"}`. */
  metric(line: string): Promise<number>
  close(): Promise<void>
}

/** A forwarder over real sockets, if nothing else is said. */
export function openTested(
  opened: Opened,
  upstreams: readonly HostPort[],
  rest: Partial<ForwarderOptions> = {},
): TestedForwarder {
  const metrics = new Registry()
  const forwarder = openForwarder({
    upstreams,
    timeoutMs: 3000,
    cacheSize: 1000,
    clock: { now: () => performance.now() },
    timers: realTimers,
    random: seededRandom(randomBytes(4).readUInt32BE()),
    log: pino({ level: 'silent' }),
    metrics,
    ...rest,
  })
  opened.add(() => forwarder.close())
  return {
    ask: query => forwarder.ask(query),
    read: async query => decode(await forwarder.ask(query)),
    close: () => forwarder.close(),
    async metric(line) {
      const text = await metrics.metrics()
      const found = text.split('\n').find(one => one.startsWith(`portolan_dns_forward_${line}`))
      return Number(found?.split(' ').at(-1) ?? Number.NaN)
    },
  }
}
