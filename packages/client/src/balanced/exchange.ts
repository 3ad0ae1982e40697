import type { IncomingHttpHeaders } from 'node:http'
import { isFailure, isPushback, type Milliseconds, type Trouble, troubleOfConnecting } from '@portolan/core'
import type { Dispatcher } from 'undici'
import type { PlainRequest } from './request.ts'
import { responseOf } from './response.ts'
import { type Failure, failureKind } from './retry.ts'

/** How a request ended for the instance: well, badly, turned away by it, or in a way that says nothing of it. */
export type End = 'success' | 'cancelled' | 'pushback' | Trouble

/** @param status of a response that is a failure; 0 = there was none */
export type Ended = (end: End, status: number) => void

/** A try that brought no response, and the error that says so. */
export class TryFailed implements Failure {
  readonly kind: Failure['kind']
  readonly written: boolean
  readonly error: unknown

  constructor(kind: Failure['kind'], written: boolean, error: unknown) {
    this.kind = kind
    this.written = written
    this.error = error
  }
}

/** Read ahead so much of a body that nobody asks for yet, before the connection has to wait. */
const readAheadBytes = 65_536

/**
 * Sends a request over one pool.
 * @param ended comes exactly once, when the instance has nothing more to do with the request
 * @throws TryFailed
 */
export function exchange(
  pool: Dispatcher,
  request: PlainRequest,
  timeoutMs: Milliseconds,
  ended: Ended,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const handler = new Exchange(request.signal, resolve, reject, ended)
    if (handler.aborted) return
    const { method, path, headers, payload } = request
    pool.dispatch(
      {
        method: method as Dispatcher.HttpMethod,
        path,
        headers: headers ?? null,
        body: payload.bytes,
        headersTimeout: timeoutMs,
      },
      handler,
    )
  })
}

/**
 * undici's handler for one request. Most responses come in one piece of the socket: head and body are parsed in one
 * go, and the `Response` is made of bytes. Only a body that is still on its way becomes a stream, which is what
 * makes the WHATWG fetch slow.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (response: Response) => void
  readonly #reject: (failure: TryFailed) => void
  readonly #ended: Ended
  readonly #onAbort: (() => void) | undefined
  #controller: Dispatcher.DispatchController | undefined
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined
  #status = 0
  #statusText = ''
  #headers: IncomingHttpHeaders = {}
  #chunks: Uint8Array[] = []
  #settled = false
  #over = false

  constructor(
    signal: AbortSignal | undefined,
    resolve: (response: Response) => void,
    reject: (failure: TryFailed) => void,
    ended: Ended,
  ) {
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    this.#ended = ended
    if (signal === undefined) return
    if (signal.aborted) {
      this.#fail(signal.reason, 'aborted')
      return
    }
    this.#onAbort = () => this.#fail(signal.reason, 'aborted')
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get aborted(): boolean {
    return this.#over
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(gaveUp())
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText?: string,
  ): void {
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    this.#statusText = statusText ?? ''
    queueMicrotask(() => this.#startStream())
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#over) return
    if (this.#stream === undefined) {
      this.#chunks.push(chunk)
      return
    }
    this.#stream.enqueue(new Uint8Array(chunk))
    if ((this.#stream.desiredSize ?? 1) <= 0) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#finish(endOfResponse(this.#status))
    if (this.#stream !== undefined) {
      this.#stream.close()
      return
    }
    this.#settle(this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : this.#chunks[0])
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    const kind = failureKind(error)
    // What breaks before the request is on a connection, is the making of that connection: TLS, mostly.
    this.#fail(error, kind === 'reset' && this.#controller === undefined ? 'connect' : kind)
  }

  /** The body goes on after this turn: hand out what is there, and the rest as it comes. */
  #startStream(): void {
    if (this.#settled || this.#over) return
    const body = new ReadableStream<Uint8Array>(
      {
        start: stream => {
          this.#stream = stream
          for (const chunk of this.#chunks) stream.enqueue(new Uint8Array(chunk))
          this.#chunks = []
        },
        pull: () => this.#controller?.resume(),
        cancel: () => {
          this.#finish('cancelled')
          this.#controller?.abort(gaveUp())
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: readAheadBytes }),
    )
    this.#settle(body)
  }

  #settle(body: Uint8Array | ReadableStream<Uint8Array> | undefined): void {
    this.#settled = true
    try {
      this.#resolve(responseOf(this.#status, this.#statusText, this.#headers, body))
    } catch (error) {
      // A status or a header that no Response can carry.
      this.#reject(new TryFailed('malformed', true, error))
      this.#finish('response')
      this.#controller?.abort(gaveUp())
    }
  }

  #fail(error: unknown, kind: Failure['kind']): void {
    if (this.#over) return
    this.#finish(endOf(kind, error))
    if (this.#stream !== undefined) this.#stream.error(error)
    else if (!this.#settled) this.#reject(new TryFailed(kind, this.#controller !== undefined, error))
    this.#settled = true
    if (kind === 'aborted') this.#controller?.abort(gaveUp())
  }

  #finish(end: End): void {
    if (this.#over) return
    this.#over = true
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#ended(end, end === 'response' ? this.#status : 0)
  }
}

function endOf(kind: Failure['kind'], error: unknown): End {
  if (kind === 'aborted' || kind === 'invalid') return 'cancelled'
  if (kind === 'timeout') return 'timeout'
  if (kind === 'malformed') return 'response'
  return kind === 'reset' ? 'broken' : notConnected(error)
}

function notConnected(error: unknown): End {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout'
  // Our own pool, closed while the request waited in it.
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') return 'cancelled'
  return troubleOfConnecting(code) ?? 'cancelled'
}

function gaveUp(): Error {
  return new Error('the caller gave up')
}

function endOfResponse(status: number): End {
  if (isFailure(status)) return 'response'
  return isPushback(status) ? 'pushback' : 'success'
}
