import { randomBytes } from 'node:crypto'
import { type HostPort, seededRandom } from '@portolan/core'
import { type DecodedPacket, decode } from 'dns-packet'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { Opened } from '../../../proxy/testing/harness.ts'
import type { Query } from '../../codec/query.ts'
import { type ForwarderOptions, openForwarder } from '../open-forwarder.ts'
import { realTimers, type Timers } from '../timers.ts'

export interface TestedForwarder {
  ask(query: Query): Promise<Buffer>
  /** As dns-packet reads the reply. */
  read(query: Query): Promise<DecodedPacket>
  /** The value of a metric, by its name and the start of its labels: `questions_total{result="cache"}`. */
  metric(line: string): Promise<number>
  /** Of all upstreams together. */
  failures(reason: string): Promise<number>
  close(): Promise<void>
}

/** Time that never comes: on a busy machine, too, nothing is asked twice. */
export const patient: { readonly timers: Timers } = { timers: { after: () => () => undefined } }

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
    negativeTtl: 1,
    clock: { now: () => performance.now() },
    timers: realTimers,
    random: seededRandom(randomBytes(4).readUInt32BE()),
    log: pino({ level: 'silent' }),
    metrics,
    ...rest,
  })
  opened.add(() => forwarder.close())
  const values = async (line: RegExp): Promise<number[]> => {
    const lines = (await metrics.metrics()).split('\n').filter(one => line.test(one))
    return lines.map(one => Number(one.split(' ').at(-1)))
  }
  return {
    ask: query => forwarder.ask(query),
    read: async query => decode(await forwarder.ask(query)),
    close: () => forwarder.close(),
    async metric(line) {
      const escaped = line.replace(/[{}]/g, '\\$&')
      return (await values(new RegExp(`^portolan_dns_forward_${escaped}`)))[0] ?? Number.NaN
    },
    async failures(reason) {
      const counted = await values(new RegExp(`^portolan_dns_forward_failures_total.*reason="${reason}"`))
      return counted.reduce((sum, value) => sum + value, 0)
    },
  }
}
