const headerSize = 12
/** A name of 255 bytes, type, class, and an OPT record with a few options. */
const longest = 400

/**
 * What a message asks, as a string of its bytes, where it is as plain as nearly all are: a standard query with one
 * question and at most one record behind it. Everything that an answer depends on is in it, but id, RD and CD, which the
 * answer repeats. `undefined`: it has to be read.
 */
export function plainQuestion(message: Buffer): string | undefined {
  const { length } = message
  if (length <= headerSize || length > longest) return undefined
  // QR, opcode, AA and TC are 0; of the next byte, RD aside, AD and CD may be said.
  if (((message[2] as number) & 0xfe) !== 0 || ((message[3] as number) & 0xcf) !== 0) return undefined
  if (message[4] !== 0 || message[5] !== 1 || message[6] !== 0 || message[7] !== 0) return undefined
  if (message[8] !== 0 || message[9] !== 0 || message[10] !== 0 || (message[11] as number) > 1)
    return undefined
  // From the last byte of the header on: with or without a record behind the question.
  return message.toString('latin1', headerSize - 1)
}

/** A copy of an encoded answer, with the id of `query` and what an answer repeats of its flags. */
export function answering(query: Buffer, encoded: Buffer): Buffer {
  const answer = Buffer.allocUnsafe(encoded.length)
  answer.set(encoded)
  answer[0] = query[0] as number
  answer[1] = query[1] as number
  answer[2] = (encoded[2] as number) | ((query[2] as number) & 0x01)
  answer[3] = (encoded[3] as number) | ((query[3] as number) & 0x10)
  return answer
}
