import type { Clock, HostPort, Milliseconds, Random } from '@portolan/core'
import { rcodes } from '../../codec/codes.ts'
import { type AnswerHead, flag, type ReadAnswer, readAnswer, readHead } from '../message/answer-reading.ts'
import { type Asked, type Question, writeQuestion } from '../message/question-writing.ts'
import { askByTcp } from './tcp.ts'
import { askByUdp, type UdpFailure } from './udp.ts'

/** Why an upstream gave no answer: nobody listens there, it broke off, what it sent was no DNS; or we could not ask. */
export type Trouble = UdpFailure | 'broken' | 'garbage'

export type Outcome =
  | { readonly answer: ReadAnswer; readonly roundTripMs: Milliseconds }
  | { readonly trouble: Trouble }

/** Ends what is under way, without a word. Calling it again, or after the end, does nothing. */
export type Abandon = () => void

/** Puts a question to one upstream. `settle` is called once at most, and not within the call. It waits for ever. */
export type Exchange = (upstream: HostPort, question: Question, settle: (outcome: Outcome) => void) => Abandon

export interface ExchangeParts {
  readonly clock: Clock
  /** Not to be guessed by others. */
  readonly random: Random
  /** Told of what came to our port and was no answer to what we had asked. */
  readonly strayed: (upstream: HostPort) => void
}

/** So many strangers on a port that only one upstream knows are somebody who tries ids: TCP has none to try. */
const mostStrays = 16
/** For so long an upstream that did not know EDNS is asked without it. */
const plainForMs: Milliseconds = 300_000

/**
 * Asks by UDP with EDNS, then by TCP what UDP could not carry or somebody seems to tamper with, and without EDNS whom
 * that is too much for (RFC 6891 section 7).
 */
export function exchangeOver({ clock, random, strayed }: ExchangeParts): Exchange {
  const plainUntil = new Map<string, Milliseconds>()

  return (upstream, question, settle) => {
    const key = `${upstream.host} ${upstream.port}`
    const begun = clock.now()
    let abandon: Abandon
    ask((plainUntil.get(key) ?? 0) <= begun)
    return () => abandon()

    function ask(edns: boolean): void {
      const asked = writeQuestion(question, edns, random)
      let strays = 0
      abandon = askByUdp(upstream, asked.message, received => {
        if (typeof received === 'string') {
          settle({ trouble: received })
          return 'done'
        }
        const head = readHead(received)
        if (head === undefined || !answers(head, asked)) {
          strayed(upstream)
          strays++
          const isCaseAlone = head?.id === asked.id && isSameName(head.question, asked.question)
          if (!isCaseAlone && strays < mostStrays) return 'more'
          askTcp(edns)
          return 'done'
        }
        if ((head.flags & flag.TC) !== 0) askTcp(edns)
        else read(received, head, edns)
        return 'done'
      })
    }

    function askTcp(edns: boolean): void {
      const asked = writeQuestion(question, edns, random)
      abandon = askByTcp(upstream, asked.message, bytes => {
        const head = bytes === undefined ? undefined : readHead(bytes)
        if (bytes === undefined) settle({ trouble: 'broken' })
        else if (head === undefined || !answers(head, asked) || (head.flags & flag.TC) !== 0)
          settle({ trouble: 'garbage' })
        else read(bytes, head, edns)
      })
    }

    function read(bytes: Buffer, head: AnswerHead, edns: boolean): void {
      const answer = readAnswer(bytes, head)
      if (answer === undefined) settle({ trouble: 'garbage' })
      else if (edns && isTooMuch(answer)) {
        plainUntil.set(key, clock.now() + plainForMs)
        ask(false)
      } else settle({ answer, roundTripMs: clock.now() - begun })
    }
  }
}

/** What may be said of a question without repeating it: that it was not read, or not looked at. */
const questionless: ReadonlySet<number> = new Set([
  rcodes.FORMERR,
  rcodes.SERVFAIL,
  rcodes.NOTIMP,
  rcodes.REFUSED,
])

/** Who cannot even read a question may leave it out of the answer, but then says no more than that. */
export function answers({ id, question, flags }: AnswerHead, asked: Pick<Asked, 'id' | 'question'>): boolean {
  if (id !== asked.id) return false
  if (question.length === 0) return questionless.has(flags & 0xf)
  return Buffer.compare(question, asked.question) === 0
}

function isSameName(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && lowerCase(one) === lowerCase(other)
}

function lowerCase(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').toLowerCase()
}

function isTooMuch({ rcode, edns }: ReadAnswer): boolean {
  return rcode === rcodes.BADVERS || ((rcode === rcodes.FORMERR || rcode === rcodes.NOTIMP) && !edns)
}
