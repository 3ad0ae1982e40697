import type { Reply } from '../answers/reply.ts'

/** How many orders of one answer are in use side by side, */
const ordersAtOnce = 8
/** how often one is sent before it is drawn anew, */
const usesOfAnOrder = 16
/** and how often one that names some of the instances alone: all are to have their turn soon. */
const usesOfAPart = 4

const truncated = 0x02

/**
 * One answer as bytes, in several orders: a draw and its encoding cost far more than the sending, and clients that ask
 * one after the other must not all get the same order. Holds for as long as its source has not changed.
 */
export class EncodedAnswer {
  readonly reply: Reply
  readonly #version: number
  readonly #encode: () => Buffer
  readonly #orders: Buffer[]
  /** An answer with one record, or none, has one order. */
  readonly #isFixed: boolean
  readonly #usesOfEach: number
  #uses = 0
  /** Bytes, all orders and what they are drawn from together: at most so many, about. */
  readonly size: number

  /** @param encode draws an order, and writes the message with the id 0, RD 0 and CD 0 */
  constructor(reply: Reply, encode: () => Buffer) {
    this.reply = reply
    this.#version = reply.source.version
    this.#encode = encode
    this.#isFixed = reply.answers.length < 2
    const first = unpooled(encode())
    this.#orders = [first]
    this.#usesOfEach = ((first[2] as number) & truncated) === 0 ? usesOfAnOrder : usesOfAPart
    this.size = first.length * (this.#isFixed ? 1 : ordersAtOnce) + memoryOf(reply)
  }

  get isCurrent(): boolean {
    return this.reply.source.version === this.#version
  }

  /** The next order's bytes: to be copied, not to be written to. */
  next(): Buffer {
    if (this.#isFixed) return this.#orders[0] as Buffer
    const use = this.#uses++
    const slot = use % ordersAtOnce
    const round = Math.floor(use / ordersAtOnce)
    // Not all slots in one round, so that draws are spread over the answers.
    const isWorn = slot >= this.#orders.length || (round > 0 && (round + slot) % this.#usesOfEach === 0)
    if (isWorn) this.#orders[slot] = unpooled(this.#encode())
    return this.#orders[slot] as Buffer
  }
}

/** What a record takes as an object with its text, about. */
const recordBytes = 350

/** A reply is kept for as long as its orders are, and holds far more than they where it has many answers. */
function memoryOf({ answers, authority }: Reply): number {
  return (answers.length * 2 + authority.length) * recordBytes
}

/** A small buffer is a part of Node's pool, of which it would keep 8 KiB. */
function unpooled(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}

/** What an answer takes beside its bytes and its key, about. */
const overhead = 500

/** By key, bounded by bytes; who was put in first goes first. */
export class EncodedAnswers {
  readonly #byKey = new Map<string, EncodedAnswer>()
  readonly #mostBytes: number
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Undefined where nothing is known, or what is known no longer holds. */
  get(key: string): EncodedAnswer | undefined {
    const known = this.#byKey.get(key)
    return known?.isCurrent ? known : undefined
  }

  set(key: string, answer: EncodedAnswer): void {
    this.#drop(key)
    this.#byKey.set(key, answer)
    this.#bytes += answer.size + key.length + overhead
    for (const oldest of this.#byKey.keys()) {
      if (this.#bytes <= this.#mostBytes) return
      this.#drop(oldest)
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  #drop(key: string): void {
    const known = this.#byKey.get(key)
    if (known === undefined) return
    this.#byKey.delete(key)
    this.#bytes -= known.size + key.length + overhead
  }
}
