import { type ClientMessage, Fault, type Milliseconds, type ServerMessage } from '@portolan/core'
import type { Cancel, Timers } from '../runtime.ts'

type WithSeq = Extract<ClientMessage, { readonly seq: number }>
type WithoutSeq<M> = M extends unknown ? Omit<M, 'seq'> : never

/** A message that is answered by `done` or `failed`, before it got its number. */
export type Request = WithoutSeq<WithSeq>
export type Done = Extract<ServerMessage, { readonly type: 'done' }>
type Failed = Extract<ServerMessage, { readonly type: 'failed' }>

interface Pending {
  readonly resolve: (done: Done) => void
  readonly reject: (fault: Fault) => void
  readonly cancelTimeout: Cancel
}

/** Matches answers to requests by their number, in whatever order they come. Owned by one connection. */
export class Requests {
  readonly #pending = new Map<number, Pending>()
  readonly #timers: Timers
  readonly #timeoutMs: Milliseconds
  #lastSeq = 0
  #ended: Fault | undefined

  constructor(timers: Timers, timeoutMs: Milliseconds) {
    this.#timers = timers
    this.#timeoutMs = timeoutMs
  }

  get size(): number {
    return this.#pending.size
  }

  /** @throws Fault what the registry answered, `request_timeout`, or what {@link end} was told */
  send(request: Request, write: (message: ClientMessage) => void): Promise<Done> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended)
      this.#lastSeq += 1
      const seq = this.#lastSeq
      const cancelTimeout = this.#timers.after(this.#timeoutMs, () => this.#expire(seq, request.type))
      this.#pending.set(seq, { resolve, reject, cancelTimeout })
      write({ ...request, seq })
    })
  }

  /** Takes an answer in. One to a question that nobody asked, or asks no more, is dropped. */
  settle(answer: Done | Failed): void {
    const pending = this.#take(answer.seq)
    if (pending === undefined) return
    if (answer.type === 'done') pending.resolve(answer)
    else pending.reject(faultOf(answer))
  }

  /** The connection is over: everything asked, and everything that will be, fails with `fault`. */
  end(fault: Fault): void {
    this.#ended = fault
    for (const seq of [...this.#pending.keys()]) this.#take(seq)?.reject(fault)
  }

  #expire(seq: number, type: string): void {
    this.#take(seq)?.reject(
      new Fault('request_timeout', `the registry did not answer "${type}" within ${this.#timeoutMs} ms`, {
        source: 'upstream',
        retryable: true,
      }),
    )
  }

  #take(seq: number | undefined): Pending | undefined {
    if (seq === undefined) return undefined
    const pending = this.#pending.get(seq)
    this.#pending.delete(seq)
    pending?.cancelTimeout()
    return pending
  }
}

/** The fault that a `failed` message describes. */
export function faultOf(failed: Failed): Fault {
  return new Fault(failed.code, failed.message, {
    source: failed.retryable ? 'upstream' : 'caller',
    retryable: failed.retryable,
    ...(failed.hint === undefined ? {} : { hint: failed.hint }),
  })
}
