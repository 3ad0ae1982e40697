import { randomFillSync } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock, Milliseconds, Random, TracingSettings } from '@portolan/core'
import { Counter, type Registry } from 'prom-client'
import type { Log } from '../../observe/log.ts'
import type { Deadlines, Expiring } from '../deadlines.ts'
import { encodeSpan, type FinishedSpan } from './otlp.ts'
import { type SpanCounts, SpanExporter } from './span-exporter.ts'

/** By more than this the wall clock has been set, and is not merely rounded. */
const driftMs: Milliseconds = 2

const poolSize = 1024

export interface TracerParts {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly random: Random
  readonly log: Log
  /** Tells this gateway from others. */
  readonly gateway: string
}

/** One gateway's part in traces: what it records, and where that goes. Off until it is told otherwise. */
export class Tracer implements Expiring {
  /** Due at every sweep. */
  readonly deadline: Milliseconds = 0
  readonly counts: SpanCounts = { exported: 0, dropped: 0, rejected: 0, failures: 0 }
  readonly #parts: TracerParts
  readonly #pool = Buffer.alloc(poolSize)
  #at = poolSize
  #sample = 0
  #exporter: SpanExporter | undefined
  #offsetMs: Milliseconds

  constructor(parts: TracerParts) {
    this.#parts = parts
    this.#offsetMs = Date.now() - parts.clock.now()
    parts.deadlines.add(this)
  }

  get isOn(): boolean {
    return this.#exporter !== undefined
  }

  /** From the gateway's clock to milliseconds since 1970. */
  get offsetMs(): Milliseconds {
    return this.#offsetMs
  }

  /** As the route table tells; `undefined`, or no endpoint that makes sense: it takes no part in traces. */
  configure(settings: Partial<TracingSettings> | undefined): void {
    const { endpoint, sample = 0, serviceName = 'portolan-gateway' } = settings ?? {}
    this.#sample = sample > 0 ? Math.min(1, sample) : 0
    const wanted = endpoint !== undefined && URL.canParse(endpoint) ? endpoint : undefined
    if (wanted !== this.#exporter?.endpoint) this.#exportTo(wanted)
    if (this.#exporter === undefined) return
    this.#exporter.resource = {
      'service.name': serviceName,
      'service.instance.id': this.#parts.gateway,
      'host.name': hostname(),
      'process.pid': process.pid,
    }
  }

  /** Whether a trace that begins here is recorded. */
  draw(): boolean {
    return this.#sample >= 1 || this.#parts.random() < this.#sample
  }

  /** @param bytes 16 for a trace, 8 for a span */
  newId(bytes: 8 | 16): string {
    if (this.#at + bytes > poolSize) {
      randomFillSync(this.#pool)
      this.#at = 0
    }
    const id = this.#pool.toString('hex', this.#at, this.#at + bytes)
    this.#at += bytes
    // All zeros is no id. The odds are against it, the recommendation all the more.
    return /[1-9a-f]/.test(id) ? id : this.newId(bytes)
  }

  record(span: FinishedSpan): void {
    this.#exporter?.add(encodeSpan(span))
  }

  expire(): void {
    const offset = Date.now() - this.#parts.clock.now()
    if (Math.abs(offset - this.#offsetMs) > driftMs) this.#offsetMs = offset
    this.#exporter?.turn()
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    this.#parts.deadlines.delete(this)
    const exporter = this.#exporter
    this.#exporter = undefined
    await exporter?.close()
  }

  #exportTo(endpoint: string | undefined): void {
    const before = this.#exporter
    const { counts } = this
    this.#exporter =
      endpoint === undefined ? undefined : new SpanExporter({ ...this.#parts, endpoint, counts })
    void before?.close()
  }
}

export function exportTracerMetrics({ counts }: Tracer, registry: Registry): void {
  const registers = [registry]
  new Counter({
    name: 'portolan_gateway_spans_total',
    help: 'Spans recorded, by what became of them',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const result of ['exported', 'dropped', 'rejected'] as const) this.inc({ result }, counts[result])
    },
  })
  new Counter({
    name: 'portolan_gateway_span_export_failures_total',
    help: 'Requests to the receiver of spans that failed',
    registers,
    collect() {
      this.reset()
      this.inc(counts.failures)
    },
  })
}
