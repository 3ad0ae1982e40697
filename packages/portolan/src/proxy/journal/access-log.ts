import type { AccessLogSettings, Milliseconds, Random } from '@portolan/core'
import { Counter, type Registry } from 'prom-client'
import type { Log } from '../../observe/log.ts'
import { type Hop, latin1, type RequestHead } from '../codec/codec.ts'
import type { Deadlines, Expiring } from '../deadlines.ts'
import type { Problem } from '../problem.ts'
import { LineSink } from './line-sink.ts'

/** So often the log says, at most, that lines are lost. */
const complainEveryMs: Milliseconds = 10_000

const longest = 1024

interface Target {
  readonly errors: boolean
  readonly query: boolean
}

export interface AccessLogParts {
  readonly deadlines: Deadlines
  readonly random: Random
  readonly log: Log
}

/** One gateway's access log: a JSON line a request, sampled. Off until it is told otherwise. */
export class AccessLog implements Expiring {
  /** Due at every sweep: then goes out what has gathered. */
  readonly deadline: Milliseconds = 0
  readonly #random: Random
  readonly #log: Log
  readonly #deadlines: Deadlines
  #settings: Target = { errors: false, query: false }
  #sample = 0
  #sink: LineSink | undefined
  /** Of sinks that are closed. */
  #dropped = 0
  #written = 0
  #complainAt = 0
  #complainedOf = 0
  #error: Error | undefined

  constructor({ deadlines, random, log }: AccessLogParts) {
    this.#random = random
    this.#log = log
    this.#deadlines = deadlines
    deadlines.add(this)
  }

  get isOn(): boolean {
    return this.#sink !== undefined
  }

  /** A path as it is written down: nobody has use for more of it. */
  pathOf(asked: string): string {
    const mark = this.#settings.query ? -1 : asked.indexOf('?')
    const path = mark < 0 ? asked : asked.slice(0, mark)
    return path.length > longest ? `${path.slice(0, longest)}…` : path
  }

  get dropped(): number {
    return this.#dropped + (this.#sink?.dropped ?? 0)
  }

  get written(): number {
    return this.#written + (this.#sink?.written ?? 0)
  }

  /** As the route table tells; what a newer registry may mean by other values is nothing that this gateway knows. */
  configure({ sample = 0, errors = true, query = false, path = 'stdout' }: Partial<AccessLogSettings>): void {
    this.#sample = sample > 0 ? Math.min(1, sample) : 0
    this.#settings = { errors: errors !== false, query: query === true }
    const wanted = this.#sample > 0 && typeof path === 'string' ? path : undefined
    if (wanted === this.#sink?.path) return
    const before = this.#sink
    this.#sink = wanted === undefined ? undefined : new LineSink(wanted, error => this.#failed(error))
    if (before !== undefined) void this.#retire(before)
  }

  /** Whether this request, which went well, is to be written down. */
  draw(): boolean {
    return this.#sample >= 1 || this.#random() < this.#sample
  }

  /** Whether one that ended so is to be written down, whatever was drawn. */
  always(status: number, isCut: boolean): boolean {
    return this.#settings.errors && (status >= 500 || isCut)
  }

  /** @param ms how long ago it began */
  write(entry: Readonly<Record<string, unknown>>, ms: Milliseconds): void {
    const time = new Date(Date.now() - ms).toISOString()
    this.#sink?.write(`${plain(JSON.stringify({ time, ...entry }))}\n`)
  }

  /** A request that the gateway has answered before it knew for which service it is. */
  unrouted({ status, code }: Problem, { peer }: Hop, bytes?: Uint8Array, head?: RequestHead): void {
    if (this.#sink === undefined || !(this.always(status, false) || this.draw())) return
    const asked =
      bytes === undefined || head === undefined
        ? {}
        : {
            method: latin1(bytes, head.start, head.methodEnd),
            path: this.pathOf(latin1(bytes, head.pathStart, head.targetEnd)),
            host: latin1(bytes, head.hostStart, head.hostEnd),
          }
    this.write({ client: peer, ...asked, status, code }, 0)
  }

  expire(): void {
    this.#sink?.flush()
    const { dropped } = this
    if (dropped === this.#complainedOf || this.#deadlines.now < this.#complainAt) return
    this.#complainAt = this.#deadlines.now + complainEveryMs
    const about = { event: 'access-log-dropped', lines: dropped - this.#complainedOf, path: this.#sink?.path }
    this.#complainedOf = dropped
    this.#log.warn({ ...about, err: this.#error }, 'the access log takes no more: lines are dropped')
    this.#error = undefined
  }

  /** Writes what has gathered. */
  async close(): Promise<void> {
    this.#deadlines.delete(this)
    const sink = this.#sink
    this.#sink = undefined
    if (sink !== undefined) await this.#retire(sink)
  }

  async #retire(sink: LineSink): Promise<void> {
    await sink.close()
    this.#dropped += sink.dropped
    this.#written += sink.written
  }

  #failed(error: Error): void {
    this.#error = error
  }
}

/** JSON leaves DEL and the C1 controls as they are, which a terminal may obey. */
function plain(json: string): string {
  return /[\u007f-\u009f]/.test(json)
    ? json.replace(/[\u007f-\u009f]/g, control => `\\u00${control.charCodeAt(0).toString(16)}`)
    : json
}

export function exportAccessLogMetrics(log: AccessLog, registry: Registry): void {
  const registers = [registry]
  new Counter({
    name: 'portolan_gateway_access_log_lines_total',
    help: 'Lines written to the access log',
    registers,
    collect() {
      this.reset()
      this.inc(log.written)
    },
  })
  new Counter({
    name: 'portolan_gateway_access_log_dropped_total',
    help: 'Lines of the access log that were lost, because its target was too slow or refused them',
    registers,
    collect() {
      this.reset()
      this.inc(log.dropped)
    },
  })
}
