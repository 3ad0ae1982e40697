import type { OnReadOpts, Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { HttpCheck } from '@portolan/core'
import type { Asker, Connection } from './connection.ts'
import { dial } from './dial.ts'
import { failing, lostReason } from './findings.ts'
import { AnswerReader } from './http-answer.ts'
import { type HttpPlan, requestOf } from './http-plan.ts'
import { bodyWanted, judgeAnswer, requestLine } from './http-verdict.ts'
import type { Finding } from './probe.ts'

/** One buffer for all connections: what is read into it is used up before anything else is read. */
export type Inbox = Buffer

/** One connection to an instance: one request at a time, and idle in between. */
export class HttpConnection implements Connection<HttpCheck> {
  #plan: HttpPlan
  #request: string | undefined
  readonly #host: string
  readonly #socket: Socket
  readonly #idleLost: (connection: Connection<HttpCheck>) => void
  #asker: Asker | undefined
  #reader: AnswerReader | undefined
  #begun = 0
  #connected = false
  #heard = false
  #asked = 0
  #closed = false

  constructor(
    host: string,
    plan: HttpPlan,
    inbox: Inbox,
    context: () => SecureContext,
    idleLost: (connection: Connection<HttpCheck>) => void,
  ) {
    this.#plan = plan
    this.#host = host
    this.#idleLost = idleLost
    const onread: OnReadOpts = {
      buffer: inbox,
      callback: size => {
        this.#read(inbox, size)
        return true
      },
    }
    const { port, tls } = plan
    this.#socket = dial(
      { host, port, tls, protocol: 'http/1.1', context, onread },
      { connected: () => this.#open(), failed: finding => this.#settle(finding) },
    )
  }

  /** Sends the plan's request, as soon as there is a connection. */
  ask(plan: HttpPlan, asker: Asker): void {
    if (this.#plan !== plan) this.#request = undefined
    this.#plan = plan
    this.#asker = asker
    this.#reader = readerFor(plan.check)
    this.#heard = false
    this.#asked++
    this.#begun = performance.now()
    if (this.#connected) this.#send()
  }

  /** That of the last request. */
  get plan(): HttpPlan {
    return this.#plan
  }

  get waitingFor(): string {
    if (!this.#connected) return this.#plan.tls === undefined ? 'no connection' : 'no TLS connection'
    const status = this.#reader?.status
    if (status !== undefined)
      return `${requestLine(this.#plan.check)} answered ${status}, but its body did not end`
    return `connected, no answer to ${requestLine(this.#plan.check)}`
  }

  /** Closes at once; the asker hears nothing more. */
  destroy(): void {
    this.#closed = true
    this.#asker = undefined
    this.#reader = undefined
    this.#socket.destroy()
  }

  #open(): void {
    if (this.#closed) return
    this.#connected = true
    this.#socket.on('error', error => this.#lost(error))
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('close', () => this.#lost(undefined))
    this.#send()
  }

  #send(): void {
    this.#request ??= requestOf(this.#plan, this.#host)
    this.#socket.write(this.#request, 'latin1')
  }

  #read(bytes: Buffer, size: number): void {
    const reader = this.#reader
    if (reader === undefined) {
      // Bytes that nobody asked for: the next probe must not take them for its answer.
      this.#lost(undefined)
      return
    }
    this.#heard = true
    if (reader.read(bytes, size)) this.#judge(reader)
  }

  #judge({ answer, fault }: AnswerReader): void {
    const { check } = this.#plan
    const latencyMs = performance.now() - this.#begun
    if (answer === undefined) {
      this.#settle(failing(`${requestLine(check)} answered ${fault}`, latencyMs))
      return
    }
    const reusable = answer.head.persistent && answer.excess === 0 && !answer.cut
    this.#settle(judgeAnswer(check, answer, latencyMs), reusable)
  }

  #ended(): void {
    const reader = this.#reader
    if (reader === undefined || (!this.#heard && this.#asked > 1)) {
      this.#lost(undefined)
      return
    }
    reader.ended()
    this.#judge(reader)
  }

  #lost(error: NodeJS.ErrnoException | undefined): void {
    if (this.#closed) return
    const asker = this.#asker
    if (asker === undefined) {
      this.destroy()
      this.#idleLost(this)
    } else if (!this.#heard && this.#asked > 1) {
      this.destroy()
      asker.stale()
    } else {
      const reason = `${requestLine(this.#plan.check)}: it ${lostReason(error)}`
      this.#settle(failing(reason, performance.now() - this.#begun))
    }
  }

  #settle(finding: Finding, reusable = false): void {
    const asker = this.#asker
    this.#asker = undefined
    this.#reader = undefined
    if (!reusable) this.destroy()
    asker?.found(finding, reusable)
  }
}

function readerFor(check: HttpCheck): AnswerReader {
  return new AnswerReader(check.method, head => bodyWanted(check, head))
}
