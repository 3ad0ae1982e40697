import type { Socket } from 'node:net'
import type { ByteWriter } from './codec/codec.ts'
import type { RequestContext } from './filters/filter.ts'
import type { Outgoing } from './outgoing.ts'
import type { Problem } from './problem.ts'
import type { RetryRules } from './retries.ts'
import type { Stay } from './sticky/stay.ts'

/** The client's side of an exchange. */
export interface Caller {
  /** Sends what `out` holds; false: wait for `Exchange.callerDrained` before giving more. */
  send(out: ByteWriter): boolean
  /** Answers in the gateway's own name: nothing of an upstream's answer has been sent. */
  answer(problem: Problem): void
  /** Gives its connection away. */
  handOver(): HandedOver
  /** The answer can't be completed: the connection is cut so that nobody takes it for whole. */
  abort(): void
  /** The wait for the service's first instance set is over. */
  resolved(): void
  /** Whether more of the request body may be read. */
  holdRequest(hold: boolean): void
  /** The answer is complete. */
  exchangeDone(close: boolean): void
}

/** A client's connection that is to become a tunnel. */
export interface HandedOver {
  readonly client: Socket
  /** What has been read on it beyond the request. */
  readonly early: Buffer
}

/** What is known of a request beside its head. */
export interface Opening {
  /** Whether its body has come to its end. */
  readonly complete: boolean
  /** By what hashing policies pick. */
  readonly key: string | undefined
  /** Where it would like to go, if its service's clients stay where they were. */
  readonly stay: Stay | undefined
  /** When it may be tried again. */
  readonly retry: RetryRules
  /** The protocol that it asks to go on with. */
  readonly upgrade: string | undefined
  /** What its filters see of it; `undefined`: it has none. */
  readonly request: RequestContext | undefined
  /** A filter has said `later`: what is at hand is its head without the end, and then what has come of its body. */
  readonly opened: Outgoing | undefined
}
