import type { Endpoint, Milliseconds } from '@portolan/core'
import { equalsFolded, type HeadEdits, type Hop, latin1, RequestHead } from '../codec/codec.ts'
import type { Recorded } from '../journal/recorded.ts'
import type { Problem } from '../problem.ts'

/**
 * What a filter says of a request: nothing (go on), an answer of the gateway's own that ends it here, or `later`: it will
 * call `request.goOn` itself. After `later` the head can still be read and lines added, but no field withheld any more.
 */
export type Verdict = Problem | 'later' | undefined

/** How a request ended. */
export interface Ending {
  /** What the client was told; 0 = nothing. */
  readonly status: number
  /** Why, where that is not an instance's whole answer: the code of a problem, `cancelled` or `cut`. */
  readonly code: string | undefined
  /** The finer reason, where there is one. */
  readonly detail?: string | undefined
  /** From the end of its head to now. */
  readonly ms: Milliseconds
}

/** Something that requests pass on their way: see `filters.ts` for all of them and their order. Synchronous, and free of allocation where it can be. */
export interface Filter {
  /**
   * Names, in lower case and with `-` for `_`, that no trailer may have which reaches an instance: filters see heads alone,
   * and some servers take trailers for more of a head.
   */
  readonly noTrailers?: readonly string[]
  /** The head has been read, and nothing sent. */
  request?(request: RequestContext): Verdict
  /** That instance is tried next: `request.endpoint`, the `request.tries`th. */
  tried?(request: RequestContext): void
  /** The try brought no answer. Another one may follow. */
  tryFailed?(request: RequestContext, why: string): void
  /** An instance's head has come, and nothing of it has been passed on: lines may be added. */
  response?(request: RequestContext, status: number): void
  /** It is over, whatever became of it: once for each call of `request`. */
  ended?(request: RequestContext, ending: Ending): void
}

/** What a client asked for, kept for those who want it when the head can't be read any more. */
export interface Asked {
  method: string
  /** Path and query. */
  path: string
  host: string
  /** What a trusted proxy says of the client; `undefined`: nothing, or the peer is none. */
  forwardedFor: string | undefined
}

/** A text in what instances are sent that is another one from the second try on, as long as the first. */
export interface Amendment {
  readonly from: string
  readonly to: string
}

/**
 * Why an instance was picked: by the policy, because the client's cookie names it, because it had room, or because it was
 * free first for one in line.
 */
export type PickedBy = 'policy' | 'affinity' | 'room' | 'line'

/** How things stood when the instance was picked. */
export interface Picked {
  by: PickedBy
  /** Requests of this gateway that were under way there. */
  inFlight: number
  /** What a request costs there by what the policy has learned, in units of the median instance's; 1 = nothing known. */
  cost: number
  /** Whether picks failed open. */
  panic: boolean
}

/** A client connection, as far as its bytes are counted. */
interface Counted {
  readonly bytesWritten: number
}

const nothing = new Uint8Array()
const none: readonly Filter[] = []
const noValues: string[] = []
const noHead = new RequestHead()
const never = Number.POSITIVE_INFINITY

/**
 * One request as filters see it, and what they want done with it. One is kept per client connection and used again: it is
 * made by the first request that has filters to pass.
 */
export class RequestContext implements HeadEdits {
  /** Where the head lies; only until the filters have been passed. */
  bytes: Uint8Array = nothing
  head: RequestHead = noHead
  hop: Hop | undefined
  /** When its head had been read, by the gateway's clock. */
  startedAt: Milliseconds = 0
  /** By when it must have been answered, by the same clock. */
  deadlineAt: Milliseconds = never
  /** So many bytes its body may have; a chunked one is counted. */
  maxBody = never
  /** Field lines for the instance, each with CRLF. */
  lines = ''
  /** What is asked for there, where it is not what the client wrote: path and query. */
  target: string | undefined
  /** The Host there, where it is another one. */
  host: string | undefined
  /** Field lines for the client, each with CRLF. */
  answerLines = ''
  /** Who was picked last. */
  endpoint: Endpoint | undefined
  /** How many instances have been tried. */
  tries = 0
  /** How it came to `endpoint`. */
  readonly picked: Picked = { by: 'policy', inFlight: 0, cost: 1, panic: false }
  /** After {@link keepAsked}. */
  readonly asked: Asked = { method: '', path: '', host: '', forwardedFor: undefined }
  /** Whether the access log has drawn it. */
  isDrawn = false
  /** The id of the trace that it belongs to; empty = of none. */
  trace = ''
  /** Since when it has a place among those that may be under way, by the gateway's clock; below 0 = it has none. */
  placedAt: Milliseconds = -1
  /** While somebody else is asked about it. */
  asking: AbortController | undefined
  /** What the trace filter keeps of it; `undefined`: it is not recorded. */
  recorded: Recorded | undefined
  /** To be made before the next try is sent. */
  amendment: Amendment | undefined
  /** Told by `goOn`; set while a filter has said `later`. */
  onGoOn: ((problem: Problem | undefined) => void) | undefined
  readonly #client: Counted
  #filters: readonly Filter[] = none
  #passed = 0
  #isAsked = false
  #isKept = false
  #writtenBefore = 0

  constructor(client: Counted) {
    this.#client = client
  }

  begin(bytes: Uint8Array, head: RequestHead, hop: Hop, filters: readonly Filter[], now: Milliseconds): void {
    this.bytes = bytes
    this.head = head
    this.hop = hop
    this.#filters = filters
    this.startedAt = now
    this.deadlineAt = never
    this.maxBody = never
    this.lines = ''
    this.target = undefined
    this.host = undefined
    this.answerLines = ''
    this.endpoint = undefined
    this.tries = 0
    this.isDrawn = false
    this.trace = ''
    this.placedAt = -1
    this.asking = undefined
    this.recorded = undefined
    this.amendment = undefined
    this.onGoOn = undefined
    this.#passed = 0
    this.#isAsked = false
    this.#isKept = false
  }

  /** Passes the filters, from where it stands. */
  pass(): Verdict {
    const filters = this.#filters
    while (this.#passed < filters.length) {
      const filter = filters[this.#passed++]
      const verdict = filter?.request?.(this)
      if (verdict === 'later') this.#keepHead()
      if (verdict !== undefined) return verdict
    }
    return undefined
  }

  /** Those that follow want to read it as well, when what it lies in has been used for something else. */
  #keepHead(): void {
    if (this.#isKept) return
    this.#isKept = true
    this.bytes = Buffer.from(this.bytes.subarray(0, this.head.end))
  }

  /** Goes on after a filter's `later`: with the next filter, or with an answer of the gateway's own. */
  goOn(problem?: Problem): void {
    const told = this.onGoOn
    if (told === undefined) return
    const verdict = problem ?? this.pass()
    if (verdict === 'later') return
    this.onGoOn = undefined
    told(verdict)
  }

  responded(status: number): void {
    for (const filter of this.#filters) filter.response?.(this, status)
  }

  /** That instance is tried next. */
  goesTo(endpoint: Endpoint, by: PickedBy, panic: boolean): void {
    this.endpoint = endpoint
    this.tries += 1
    const { picked } = this
    picked.by = by
    picked.inFlight = endpoint.inFlight - 1
    picked.cost = endpoint.learned.cost
    picked.panic = panic
    for (const filter of this.#filters) filter.tried?.(this)
  }

  tryFailed(why: string): void {
    for (const filter of this.#filters) filter.tryFailed?.(this, why)
  }

  /** Over. Further calls do nothing. */
  ended(ending: Ending): void {
    const filters = this.#filters
    const passed = this.#passed
    this.#passed = 0
    this.onGoOn = undefined
    // The other way round: who came in first knows of all that came of it.
    for (let index = passed - 1; index >= 0; index--) filters[index]?.ended?.(this, ending)
    this.endpoint = undefined
  }

  /** Keeps what was asked for in `asked`, while the head can be read. */
  keepAsked(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    const { asked, bytes, head } = this
    asked.method = this.method
    asked.path = this.path
    asked.host = latin1(bytes, head.hostStart, head.hostEnd)
    asked.forwardedFor = this.hop?.trusted ? this.header('x-forwarded-for') : undefined
    this.#writtenBefore = this.#client.bytesWritten
  }

  /** Bytes that the client has been sent of an instance's answer, head and all; only after {@link keepAsked}, else 0. */
  get answerBytes(): number {
    return this.#isAsked ? this.#client.bytesWritten - this.#writtenBefore : 0
  }

  /** The value of the first field of that name (given in lower case), while the head can be read. */
  header(name: string): string | undefined {
    const index = this.#find(name)
    if (index < 0) return undefined
    const { fields } = this.head
    return latin1(this.bytes, fields.valueStart(index), fields.valueEnd(index))
  }

  /** The values of all fields of that name (given in lower case), in their order, while the head can be read. */
  headers(name: string): readonly string[] {
    const { fields } = this.head
    let values: string[] = noValues
    for (let index = this.#find(name); index >= 0; index = this.#find(name, index + 1)) {
      if (values === noValues) values = []
      values.push(latin1(this.bytes, fields.valueStart(index), fields.valueEnd(index)))
    }
    return values
  }

  /** Keeps all fields of that name (given in lower case) from the instance. */
  withhold(name: string): void {
    for (let index = this.#find(name); index >= 0; index = this.#find(name, index + 1)) {
      this.head.fields.withhold(index)
    }
  }

  /** The same, with `_` taken for `-`, as some servers do: nobody is to smuggle in what only we may say. */
  withholdAlike(name: string): void {
    const { fields } = this.head
    for (let index = 0; index < fields.count; index++) {
      const { length } = name
      if (fields.nameEnd(index) - fields.lineStart(index) !== length) continue
      const written = latin1(this.bytes, fields.lineStart(index), fields.nameEnd(index))
      if (written.toLowerCase().replaceAll('_', '-') === name.replaceAll('_', '-')) fields.withhold(index)
    }
  }

  /** The method as the client wrote it, while the head can be read. */
  get method(): string {
    return latin1(this.bytes, this.head.start, this.head.methodEnd)
  }

  /** Path and query as the client wrote them, while the head can be read. */
  get path(): string {
    return latin1(this.bytes, this.head.pathStart, this.head.targetEnd)
  }

  #find(name: string, from = 0): number {
    const { fields } = this.head
    for (let index = from; index < fields.count; index++) {
      if (equalsFolded(this.bytes, fields.lineStart(index), fields.nameEnd(index), name)) return index
    }
    return -1
  }
}
