import { type Answer, encode, type Packet } from 'dns-packet'
import { flag, type ReadAnswer, readAnswer, readHead } from '../message/answer-reading.ts'

export interface Saying {
  readonly rcode?: number
  readonly flags?: number
  readonly answers?: Answer[]
  readonly authorities?: Answer[]
  readonly additionals?: Answer[]
}

/** A message as a resolver would send it, to the question whose bytes are given. */
export function messageSaying(id: number, question: Uint8Array, saying: Saying): Buffer {
  const { rcode = 0, flags = flag.RD | flag.RA, answers = [], authorities = [], additionals = [] } = saying
  const packet: Packet = {
    type: 'response',
    id,
    flags: flags | rcode,
    questions: [],
    answers,
    authorities,
    additionals,
  }
  const whole = encode(packet)
  const message = Buffer.concat([whole.subarray(0, 12), question, whole.subarray(12)])
  message.writeUInt16BE(1, 4)
  return message
}

/** The same, read. */
export function answerSaying(question: Uint8Array, saying: Saying): ReadAnswer {
  return reading(messageSaying(0, question, saying))
}

export function reading(message: Buffer): ReadAnswer {
  const head = readHead(message)
  const answer = head && readAnswer(message, head)
  if (answer === undefined) throw new Error('it cannot be read')
  return answer
}

export const a = (name: string, ttl = 60, data = '192.0.2.1'): Answer => ({ type: 'A', name, ttl, data })

export function soa(name: string, ttl: number, minimum: number): Answer {
  const data = {
    mname: `ns.${name}`,
    rname: `root.${name}`,
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum,
  }
  return { type: 'SOA', name, ttl, data }
}
