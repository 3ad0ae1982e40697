import type { Random } from '@portolan/core'
import { outgoingOf } from '../answers/outgoing.ts'
import type { Reply } from '../answers/reply.ts'
import { type AnswerContext, replyTo } from '../answers/reply-to.ts'
import { type Rcode, rcodes } from '../codec/codes.ts'
import { cookieBytes, withCookie } from '../codec/cookie.ts'
import { header } from '../codec/header.ts'
import type { Query, Unreadable } from '../codec/query.ts'
import { readQuery } from '../codec/read-query.ts'
import { writeMessage } from '../codec/write-message.ts'
import type { OpenDirectory } from '../directory/open-directory.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import { cutTo } from '../forward/message/cutting.ts'
import type { Trust } from '../trust/trust.ts'
import { EncodedAnswer, EncodedAnswers } from './encoded.ts'
import type { DnsMetrics } from './metrics.ts'
import { answering, plainQuestion } from './plain-question.ts'

export interface AnswererParts {
  readonly context: AnswerContext
  /** Told of each answer: whoever drains is let go of when the last one that named it is over. */
  readonly directory: Pick<OpenDirectory, 'touched'>
  readonly trust: Trust
  /** Undefined: other names are refused. Strangers are refused them anyway. */
  readonly forwarder: Forwarder | undefined
  readonly random: Random
  readonly metrics: DnsMetrics
  /** The largest answer over UDP that we send and take. */
  readonly udpSize: number
}

type Answering = Buffer | Promise<Buffer | undefined> | undefined

/** What fits without an OPT record (RFC 1035 section 4.2.1), and what fits at all. */
const smallest = 512
const largest = 65_535

/** All encoded answers together: a million names that differ in their case alone must not take all memory. */
const mostEncodedBytes = 64 * 1024 * 1024

/** From a message to its answer: what UDP and TCP have in common, and how each of them goes. */
export class Answerer {
  readonly #parts: AnswererParts
  /** By the question's bytes: the hot path. */
  readonly #plain = new EncodedAnswers(mostEncodedBytes / 2)
  /** By what the question means, for those that spell it otherwise, or come over TCP. */
  readonly #read = new EncodedAnswers(mostEncodedBytes / 2)

  constructor(parts: AnswererParts) {
    this.#parts = parts
  }

  /** Of all answers that are kept, about. */
  get keptBytes(): number {
    return this.#plain.bytes + this.#read.bytes
  }

  /** @param address the client's, which may be forged */
  udp(message: Buffer, address: string): Answering {
    const { trust, metrics } = this.#parts
    metrics.udp++
    if (!trust.trusts(address)) return this.#outside(message, address)
    const plain = plainQuestion(message)
    const known = plain === undefined ? undefined : this.#plain.get(plain)
    if (known !== undefined) {
      metrics.ready++
      return this.#send(known, message)
    }
    const query = readQuery(message)
    if (!isQuery(query)) return this.#refuse(query)
    return this.#answer(query, message, this.#udpLimit(query), plain, address)
  }

  tcp(message: Buffer, address: string): Answering {
    this.#parts.metrics.tcp++
    const query = readQuery(message)
    if (!isQuery(query)) return this.#refuse(query)
    return this.#answer(query, message, largest, undefined, address)
  }

  /** Over UDP, from an address that may be somebody else's. */
  #outside(message: Buffer, address: string): Answering {
    const { trust, metrics } = this.#parts
    // Without a record behind the question there is no cookie: who floods us so is not even read.
    const bare = hasRecords(message) ? undefined : trust.judge(address, { edns: undefined }, message.length)
    if (bare?.verdict === 'drop') return undefined
    const query = readQuery(message)
    if (query === 'dropped') return this.#refuse(query)
    const known = isQuery(query) ? query : { edns: undefined }
    const { verdict, limit } = bare ?? trust.judge(address, known, message.length)
    if (!isQuery(query)) return verdict === 'answer' ? this.#refuse(query) : undefined
    if (verdict === 'drop') return undefined
    if (verdict === 'slip') return this.#empty(query, 'NOERROR', { truncated: true, address })
    if (verdict === 'bad-cookie') return this.#empty(query, 'BADCOOKIE', { address })
    metrics.outside++
    return this.#answer(query, message, Math.min(limit, this.#udpLimit(query)), undefined, address)
  }

  #answer(
    query: Query,
    message: Buffer,
    limit: number,
    plain: string | undefined,
    address: string,
  ): Answering {
    // A cookie is each client's own: it is put behind an answer that leaves it room.
    const cookie = this.#cookieFor(query, address)
    const room = cookie === undefined ? limit : limit - cookieBytes(cookie)
    const key = meaningKey(query, room)
    const known = this.#read.get(key)
    if (known !== undefined) {
      this.#parts.metrics.ready++
      this.#keepPlain(plain, query, known)
      return this.#send(known, message, query, cookie)
    }
    const { context, trust, forwarder } = this.#parts
    const reply = replyTo(query, context)
    if (reply === undefined) {
      // Who asks others for strangers is an open resolver, by which they hide.
      if (forwarder === undefined || !trust.trusts(address)) return this.#empty(query, 'REFUSED', { address })
      return this.#forward(forwarder, query, limit, address)
    }
    const asKept = {
      ...query,
      id: 0,
      recursionDesired: false,
      checkingDisabled: false,
      question: Uint8Array.from(query.question),
      ...(query.edns === undefined ? {} : { edns: { ...query.edns, cookie: undefined } }),
    }
    const encode = (): Buffer => this.#encode(asKept, reply, room)
    const made = new EncodedAnswer(reply, encode)
    this.#read.set(key, made)
    this.#keepPlain(plain, query, made)
    return this.#send(made, message, query, cookie)
  }

  /** Another spelling is not kept: there are as many as there are subsets of letters. Nor is what has a cookie. */
  #keepPlain(plain: string | undefined, { edns, question }: Query, answer: EncodedAnswer): void {
    if (plain !== undefined && edns?.cookie === undefined && isLowerCase(question))
      this.#plain.set(plain, answer)
  }

  #send(known: EncodedAnswer, message: Buffer, query?: Query, cookie?: Uint8Array): Buffer {
    let bytes = answering(message, known.next())
    // The question as it was spelt (0x20), which has the same length in any case.
    if (query !== undefined) bytes.set(query.question, header.end)
    if (cookie !== undefined) bytes = withCookie(bytes, cookie)
    this.#parts.metrics.answered(bytes)
    this.#touch(known.reply)
    return bytes
  }

  /** Of the services that a reply could change with, often all, those alone count whose instances it names. */
  #touch({ named }: Reply): void {
    if (named !== undefined) this.#parts.directory.touched(named)
  }

  #encode(query: Query, reply: Reply, limit: number): Buffer {
    const { random, udpSize, forwarder } = this.#parts
    const recursionAvailable = forwarder !== undefined
    return writeMessage(outgoingOf(reply, query, { limit, random, udpSize, recursionAvailable }))
  }

  async #forward(
    forwarder: Forwarder,
    query: Query,
    limit: number,
    address: string,
  ): Promise<Buffer | undefined> {
    const reply = await forwarder.ask(query)
    const cookie = this.#cookieFor(query, address)
    const room = cookie === undefined ? limit : limit - cookieBytes(cookie)
    const cut = cutTo(reply, room)
    const bytes = cookie === undefined ? cut : withCookie(cut, cookie)
    this.#parts.metrics.answered(bytes)
    return bytes
  }

  #empty(
    query: Query,
    rcode: Rcode,
    { truncated = false, address }: { truncated?: boolean; address: string },
  ): Buffer {
    const { udpSize, forwarder, metrics } = this.#parts
    const cookie = this.#cookieFor(query, address)
    const bytes = writeMessage({
      ...nothing,
      id: query.id,
      recursionDesired: query.recursionDesired,
      checkingDisabled: query.checkingDisabled,
      recursionAvailable: forwarder !== undefined,
      rcode,
      question: query.question,
      truncated,
      ...(query.edns === undefined
        ? {}
        : {
            edns: {
              size: udpSize,
              dnssecOk: query.edns.dnssecOk,
              ...(cookie === undefined ? {} : { cookie }),
            },
          }),
    })
    metrics.answered(bytes, rcodes[rcode])
    return bytes
  }

  /** What could not be read is answered with no more than it said. */
  #refuse(unread: Unreadable | 'dropped'): Buffer | undefined {
    const { udpSize, metrics } = this.#parts
    if (unread === 'dropped') {
      metrics.dropped++
      return undefined
    }
    const { id, opcode, rcode, recursionDesired, question } = unread
    const bytes = writeMessage({
      ...nothing,
      id,
      opcode,
      rcode,
      recursionDesired,
      question,
      ...(unread.edns ? { edns: { size: udpSize, dnssecOk: false } } : {}),
    })
    metrics.answered(bytes, rcodes[rcode])
    return bytes
  }

  #cookieFor({ edns }: Query, address: string): Uint8Array | undefined {
    return edns?.cookie === undefined ? undefined : this.#parts.trust.cookieFor(address, edns.cookie)
  }

  #udpLimit({ edns }: Query): number {
    return edns === undefined ? smallest : Math.max(smallest, Math.min(edns.size, this.#parts.udpSize))
  }
}

const nothing = {
  checkingDisabled: false,
  recursionAvailable: false,
  authoritative: false,
  answers: [],
  authority: [],
  additional: [],
  limit: smallest,
}

function hasRecords(message: Buffer): boolean {
  return (
    message.length < header.end || message[header.additional] !== 0 || message[header.additional + 1] !== 0
  )
}

function isQuery(read: Query | Unreadable | 'dropped'): read is Query {
  return read !== 'dropped' && 'name' in read
}

/** All that the bytes of an answer depend on, but id, flags and spelling. */
function meaningKey({ name, type, class: asked, edns }: Query, limit: number): string {
  const options = edns === undefined ? '' : edns.dnssecOk ? ' do' : ' edns'
  return `${name} ${type} ${asked} ${limit}${options}`
}

function isLowerCase(question: Uint8Array): boolean {
  // Behind the name stand type and class, which are no letters.
  return !question.subarray(0, -4).some(byte => byte >= 0x41 && byte <= 0x5a)
}
