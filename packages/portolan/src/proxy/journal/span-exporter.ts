import type { Milliseconds, Random } from '@portolan/core'
import { Agent, request } from 'undici'
import type { Log } from '../../observe/log.ts'
import type { Deadlines } from '../deadlines.ts'
import { type Attributes, encodeBatch } from './otlp.ts'

/** As the SDKs of OpenTelemetry have them: what waits, what goes together, and how long a few wait for more. */
const mostQueued = 2048
const batchSize = 512
const gatherMs: Milliseconds = 2000

const answerWithinMs: Milliseconds = 10_000
/** Between tries; doubled each time, with jitter. */
const firstPauseMs: Milliseconds = 1000
const longestPauseMs: Milliseconds = 30_000
/** So often a batch is tried before it is given up. */
const mostTries = 6
/** What the log hears of at most so often. */
const complainEveryMs: Milliseconds = 10_000
/** How long `close` waits for what is left. */
const patienceMs: Milliseconds = 3000
const longestAnswer = 65_536

/** That were sent, lost, or refused by the receiver. */
export interface SpanCounts {
  exported: number
  dropped: number
  rejected: number
  /** Requests to the receiver that failed. */
  failures: number
}

export interface ExporterParts {
  readonly endpoint: string
  readonly deadlines: Deadlines
  readonly random: Random
  readonly log: Log
  readonly counts: SpanCounts
}

/**
 * Sends finished spans by OTLP over HTTP, as JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), some together. What the
 * receiver may take later is tried again, ever more rarely; beyond 2,048 that wait, spans are dropped.
 */
export class SpanExporter {
  readonly endpoint: string
  resource: Attributes = {}
  readonly #parts: ExporterParts
  readonly #agent = new Agent({ connections: 1, headersTimeout: answerWithinMs, bodyTimeout: answerWithinMs })
  #queue: string[] = []
  #sending: Promise<void> | undefined
  /** The batch that was tried and has to be tried again. */
  #kept: readonly string[] = []
  #tries = 0
  #sendAt = 0
  #complainAt = 0
  #isClosing = false

  constructor(parts: ExporterParts) {
    this.endpoint = parts.endpoint
    this.#parts = parts
  }

  add(span: string): void {
    if (this.#queue.length >= mostQueued || this.#isClosing) {
      this.#parts.counts.dropped++
      return
    }
    if (this.#queue.length === 0 && this.#kept.length === 0)
      this.#sendAt = this.#parts.deadlines.now + gatherMs
    this.#queue.push(span)
    if (this.#queue.length === batchSize && this.#tries === 0) this.#sendAt = 0
  }

  /** Sends what is due. To be called at every sweep. */
  turn(): void {
    if (this.#sending !== undefined || this.#parts.deadlines.now < this.#sendAt) return
    if (this.#kept.length === 0) this.#kept = this.#queue.splice(0, batchSize)
    if (this.#kept.length === 0) return
    this.#sending = this.#send(this.#kept).finally(() => {
      this.#sending = undefined
    })
  }

  /** Sends what is left, as far as that takes no longer than three seconds; nothing is tried again. */
  async close(): Promise<void> {
    this.#isClosing = true
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>(resolve => {
      timer = setTimeout(resolve, patienceMs)
    })
    await Promise.race([this.#sendAll(), patience])
    clearTimeout(timer)
    this.#parts.counts.dropped += this.#kept.length + this.#queue.length
    this.#kept = []
    this.#queue = []
    await this.#agent.destroy()
  }

  async #sendAll(): Promise<void> {
    await this.#sending
    this.#sendAt = 0
    for (this.turn(); this.#sending !== undefined && this.#tries === 0; this.turn()) await this.#sending
  }

  async #send(spans: readonly string[]): Promise<void> {
    const { counts } = this.#parts
    try {
      const { statusCode, headers, body } = await request(this.endpoint, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'portolan' },
        body: encodeBatch(this.resource, spans),
      })
      const answer = await bounded(body)
      if (statusCode >= 200 && statusCode < 300) this.#delivered(spans.length, answer)
      else {
        counts.failures++
        this.#failed(`it answered ${statusCode}`, isLater(statusCode), retryAfterMs(headers['retry-after']))
      }
    } catch (thrown) {
      counts.failures++
      this.#failed(thrown instanceof Error ? thrown.message : String(thrown), true)
    }
  }

  #delivered(sent: number, answer: string): void {
    const { counts } = this.#parts
    const { rejected, message } = rejection(answer)
    counts.rejected += Math.min(sent, rejected)
    counts.exported += sent - Math.min(sent, rejected)
    if (rejected > 0 || message !== '') this.#complain(message, rejected)
    this.#next()
  }

  /** @param again whether the same may be taken later */
  #failed(why: string, again: boolean, pauseMs: Milliseconds = 0): void {
    const { counts, deadlines, random } = this.#parts
    this.#complain(why, this.#kept.length)
    this.#tries++
    if (again && this.#tries < mostTries && !this.#isClosing) {
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#tries - 1))
      this.#sendAt = deadlines.now + Math.max(pauseMs, pause * (0.5 + random()))
      return
    }
    if (again) counts.dropped += this.#kept.length
    else counts.rejected += this.#kept.length
    this.#next()
  }

  #next(): void {
    this.#kept = []
    this.#tries = 0
    const { now } = this.#parts.deadlines
    this.#sendAt = this.#queue.length >= batchSize || this.#isClosing ? 0 : now + gatherMs
  }

  #complain(why: string, spans: number): void {
    const { deadlines, log } = this.#parts
    if (deadlines.now < this.#complainAt) return
    this.#complainAt = deadlines.now + complainEveryMs
    log.warn({ event: 'spans-not-exported', endpoint: this.endpoint, spans, why }, 'spans were not exported')
  }
}

/** What OTLP wants tried again; anything else would be refused again. */
function isLater(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504
}

function retryAfterMs(value: string | string[] | undefined): Milliseconds {
  const seconds = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0
  return Math.min(seconds, 300) * 1000
}

async function bounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > longestAnswer) break
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** What a receiver says of spans that it did not take (`partialSuccess`); numbers come as text or not. */
function rejection(answer: string): { readonly rejected: number; readonly message: string } {
  try {
    const { partialSuccess } = JSON.parse(answer) as {
      partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown }
    }
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0)
    const message = String(partialSuccess?.errorMessage ?? '')
    return {
      rejected: Number.isSafeInteger(rejected) ? Math.max(rejected, 0) : 0,
      message: message.slice(0, 200),
    }
  } catch {
    return { rejected: 0, message: '' }
  }
}
