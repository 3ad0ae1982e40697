/** What a peer does on its connection. Text is written, one character a byte. */
export type Step = string | { readonly pause: number } | { readonly act: 'end' | 'reset' | 'idle' | 'gone' }

export const halfClose: Step = { act: 'end' }
export const reset: Step = { act: 'reset' }
/** Waits until the pipelined request has been answered, too, and the instance's connection is idle. */
export const idle: Step = { act: 'idle' }
/** Waits until the gateway has closed the instance's connection. */
export const gone: Step = { act: 'gone' }
/** Long enough for the gateway to have read what was written before. */
export const pause: Step = { pause: 25 }

/** What becomes of a client's connection: it takes another request, ends in good order, or is cut so that nobody misses it. */
export type Fate = 'open' | 'closed' | 'reset'

/** Bytes of a client that mean no good, and what has to come of them. */
export interface RequestCase {
  readonly name: string
  readonly steps: readonly Step[]
  /** In order: `200` for the instance's answer to each request of `seen`, `STATUS code` for the gateway's own. */
  readonly answers: readonly string[]
  readonly fate: Fate
  /** The whole requests that an instance gets, in order, as `METHOD target body`; never anything else. */
  readonly seen: readonly string[]
}

/** Bytes of an instance that lies, and what has to come of them. */
export interface ResponseCase {
  readonly name: string
  /** The request that is answered so; `GET /next` is pipelined behind it. */
  readonly request: string
  readonly steps: readonly Step[]
  /** What the client reads as whole answers to it, 1xx included: `STATUS body`, or `STATUS code` of the gateway's own. */
  readonly answers: readonly string[]
  /** `open`: `GET /next` is answered by the instance, on the same connection to the client; else it is not answered. */
  readonly fate: Fate
  /** Whether the instance's connection may carry another request. */
  readonly reused: boolean
  /** The next request may reach the instance twice: once on the connection that ends behind the answer. */
  readonly again: boolean
  /** The end of what the client has got of an answer that is cut. */
  readonly part: string
}

/** Cases by theme. */
export type Corpus<Case> = Readonly<Record<string, readonly Case[]>>

type Sent = string | readonly Step[]

function stepsOf(sent: Sent): readonly Step[] {
  return typeof sent === 'string' ? [sent] : sent
}

/** The gateway's own answer, after what was fine, and the end of the connection; what the client sent behind it reaches nobody. */
export function refused(name: string, sent: Sent, answer: string, ...seen: readonly string[]): RequestCase {
  return { name, steps: stepsOf(sent), answers: [...seen.map(() => '200'), answer], fate: 'closed', seen }
}

/** All of it is answered by the instance, and the connection stays. */
export function served(name: string, sent: Sent, ...seen: readonly string[]): RequestCase {
  return { name, steps: stepsOf(sent), answers: seen.map(() => '200'), fate: 'open', seen }
}

/** As `served`, but that was the last request on the connection. */
export function last(name: string, sent: Sent, ...seen: readonly string[]): RequestCase {
  return { ...served(name, sent, ...seen), fate: 'closed' }
}

/** Closed without a word, after what was fine. */
export function dropped(name: string, sent: Sent, ...seen: readonly string[]): RequestCase {
  return last(name, sent, ...seen)
}

/** What a test of one answer need not say. */
interface Told {
  readonly request?: string
  readonly reused?: boolean
  readonly again?: boolean
}

const get = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n'
const untold = { request: get, reused: false, again: false, part: '' }

/** Not passed on: a 502 instead, and the client's connection goes on. */
export function bad(name: string, sent: Sent, answer = '502 bad_response', told: Told = {}): ResponseCase {
  return { ...untold, name, steps: stepsOf(sent), answers: [answer], fate: 'open', ...told }
}

/** Passed on as it should be, mended where that is safe. Unless it is told to be, the instance's connection is not used again. */
export function passed(name: string, sent: Sent, answers: readonly string[], told: Told = {}): ResponseCase {
  return { ...untold, name, steps: stepsOf(sent), answers, fate: 'open', ...told }
}

/** Part of it is with the client already: that has to look broken. */
export function cut(name: string, sent: Sent, part: string, told: Told = {}): ResponseCase {
  return { ...untold, name, steps: stepsOf(sent), answers: [], fate: 'reset', part, ...told }
}

/** Whole only by the end of the connection, which ends the client's, too. */
export function untilClose(name: string, sent: Sent, answer: string, told: Told = {}): ResponseCase {
  return { ...untold, name, steps: stepsOf(sent), answers: [answer], fate: 'closed', ...told }
}
