import type { Random } from '@portolan/core'
import { types } from '../../codec/codes.ts'
import { flag, headerLength } from './answer-reading.ts'

/** The largest UDP message that fits every path unbroken (https://dnsflagday.net/2020/), and so what we take. */
export const udpSize = 1232
export const optLength = 11

/** What is asked of an upstream, and what tells one such question from another. */
export interface Question {
  readonly type: number
  /** Name, type and class, as the first who asked wrote them. */
  readonly bytes: Uint8Array
  readonly dnssecOk: boolean
  readonly checkingDisabled: boolean
}

/** One message to an upstream: only who has seen it knows both of these. */
export interface Asked {
  readonly id: number
  /** Its letters in a case of their own (draft-vixie-dnsext-dns0x20). */
  readonly question: Uint8Array
  readonly message: Buffer
}

/** @param random not to be guessed by others: id and case are what a forged answer would have to know (RFC 5452) */
export function writeQuestion(question: Question, edns: boolean, random: Random): Asked {
  const length = question.bytes.length
  const message = Buffer.alloc(headerLength + length + (edns ? optLength : 0))
  const id = Math.floor(random() * 65_536)
  message.writeUInt16BE(id, 0)
  message.writeUInt16BE(flag.RD | (question.checkingDisabled ? flag.CD : 0), 2)
  message.writeUInt16BE(1, 4)
  message.set(question.bytes, headerLength)
  tossCase(message, headerLength, headerLength + length - 4, random)
  if (edns) {
    message.writeUInt16BE(1, 10)
    writeOpt(message, headerLength + length, 0, question.dnssecOk)
  }
  return { id, question: message.subarray(headerLength, headerLength + length), message }
}

/** RFC 6891 section 6.1.2, without options. `at` has {@link optLength} bytes. @param upper bits 4 to 11 of the rcode */
export function writeOpt(message: Buffer, at: number, upper: number, dnssecOk: boolean): void {
  message[at] = 0
  message.writeUInt16BE(types.OPT, at + 1)
  message.writeUInt16BE(udpSize, at + 3)
  message[at + 5] = upper
  message[at + 6] = 0
  message.writeUInt16BE(dnssecOk ? 0x8000 : 0, at + 7)
  message.writeUInt16BE(0, at + 9)
}

/** A length is at most 63, and no letter is: all bytes of the name can be treated alike. */
function tossCase(message: Buffer, from: number, to: number, random: Random): void {
  let bits = 0
  let left = 0
  for (let at = from; at < to; at++) {
    const lower = (message[at] ?? 0) | 0x20
    if (lower < 0x61 || lower > 0x7a) continue
    if (left === 0) {
      bits = Math.floor(random() * 2 ** 30)
      left = 30
    }
    message[at] = (bits & 1) === 1 ? lower : lower & ~0x20
    bits >>>= 1
    left--
  }
}
