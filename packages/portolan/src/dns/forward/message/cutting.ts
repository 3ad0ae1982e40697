import { flag, headerLength, readAnswer, readHead } from './answer-reading.ts'
import { optLength } from './question-writing.ts'

/**
 * The reply in at most `limit` bytes: as it is, or without additional records, or else with none at all and TC, so that
 * the client comes by TCP (RFC 2181 section 9). An OPT record stays, as the last one.
 */
export function cutTo(reply: Buffer, limit: number): Buffer {
  if (reply.length <= limit) return reply
  const head = readHead(reply)
  if (head === undefined) throw new Error('what we answer with is no answer')
  const read = readAnswer(reply, head)
  const opt = read?.edns === true ? reply.subarray(reply.length - optLength) : reply.subarray(0, 0)
  const additional = read?.records.find(({ section }) => section === 'additional')
  const needed = additional?.start ?? read?.end ?? reply.length
  if (needed + opt.length <= limit) return withoutRecords(reply, needed, opt)
  const cut = withoutRecords(reply, headerLength + head.question.length, opt)
  cut.writeUInt16BE(head.flags | flag.TC, 2)
  cut.fill(0, 6, 10)
  return cut
}

function withoutRecords(reply: Buffer, end: number, opt: Buffer): Buffer {
  const cut = Buffer.concat([reply.subarray(0, end), opt])
  cut.writeUInt16BE(opt.length === 0 ? 0 : 1, 10)
  return cut
}
