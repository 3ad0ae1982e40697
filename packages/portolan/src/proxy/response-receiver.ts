import type { Milliseconds } from '@portolan/core'
import type { BodyForm, Method, ResponseHead, SpanSink } from './codec/codec.ts'
import type { Tunnel } from './tunnel.ts'

/** What can go wrong with an upstream connection while somebody waits for its answer. */
export type Failure =
  /** Nobody listens there. */
  | 'refused'
  | 'connect'
  /** No connection for reasons of our own: out of descriptors, say. */
  | 'own'
  | 'connect-timeout'
  | 'tls'
  | 'lost'
  | 'bad-response'
  | 'response-timeout'
  | 'body-timeout'

/** Who waits for the answer on an upstream connection. Takes the body's spans; `passOn` ends each read. */
export interface ResponseReceiver extends SpanSink {
  readonly method: Method
  /** From the request's last byte to the answer's head. */
  readonly answerWithinMs: Milliseconds
  connected(): void
  /** A 1xx head; another head follows. */
  interim(bytes: Uint8Array, head: ResponseHead): void
  /** A 101 head: both connections are one tunnel from now on. `undefined`: nobody has asked for that. */
  switched(bytes: Uint8Array, head: ResponseHead): Tunnel | undefined
  /** The head that counts. Returns the form in which the body is wanted. */
  responded(bytes: Uint8Array, head: ResponseHead): BodyForm
  passOn(): void
  /** The answer is complete; `reusable` says whether the connection may take another request. */
  finished(reusable: boolean): void
  failed(failure: Failure): void
  /** The connection's queue has emptied after it was congested. */
  drained(): void
}
