import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv4 } from 'node:net'

export const recordTypes = { A: 1, SRV: 33 } as const

export interface Question {
  readonly name: string
  readonly type: keyof typeof recordTypes
  /** The largest UDP answer that is taken, said by EDNS0; absent: 512 bytes, without a word. */
  readonly size?: number
}

/** A question's bytes (RFC 1035 section 4.1, RFC 6891 section 6.1). */
export function questionBytes({ name, type, size }: Question, id: number): Buffer {
  const labels = name.split('.').map(label => Buffer.from(`${String.fromCharCode(label.length)}${label}`))
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id & 0xffff, 0)
  head[2] = 1
  head[5] = 1
  const tail = Buffer.from([0, 0, recordTypes[type], 0, 1])
  if (size === undefined) return Buffer.concat([head, ...labels, tail])
  head[11] = 1
  return Buffer.concat([
    head,
    ...labels,
    tail,
    Buffer.from([0, 0, 41, size >> 8, size & 255, 0, 0, 0, 0, 0, 0]),
  ])
}

export interface Answer {
  readonly bytes: number
  readonly rcode: number
  readonly truncated: boolean
  /** What the records of the answer section say: addresses, or `target:port`s in hexadecimal. */
  readonly answers: readonly string[]
  readonly additional: number
}

/** Reads as much of an answer as a bench has to know. @throws when it is no whole message */
export function readAnswer(message: Buffer): Answer {
  const count = (at: number): number => message.readUInt16BE(at)
  let at = skipName(message, 12) + 4
  const answers: string[] = []
  for (let i = 0; i < count(6) + count(8) + count(10); i++) {
    at = skipName(message, at)
    const length = count(at + 8)
    const data = message.subarray(at + 10, at + 10 + length)
    if (data.length !== length) throw new Error(`record ${i} ends outside of its message`)
    if (i < count(6)) answers.push(count(at) === recordTypes.A ? data.join('.') : data.toString('hex'))
    at += 10 + length
  }
  if (at !== message.length) throw new Error(`${message.length - at} bytes are left over`)
  const truncated = ((message[2] ?? 0) & 2) !== 0
  return {
    bytes: message.length,
    rcode: (message[3] ?? 0) & 15,
    truncated,
    answers,
    additional: count(10),
  }
}

function skipName(message: Buffer, from: number): number {
  for (let at = from; ; ) {
    const length = message.readUInt8(at)
    if (length >= 0xc0) return at + 2
    at += 1 + length
    if (length === 0) return at
  }
}

/** Asks one question after the other over UDP, each again when nothing has come for a while. */
export function openAsker(port: number) {
  const socket = createSocket('udp4')
  socket.connect(port, '127.0.0.1')
  // Nobody listens there yet: it is asked again.
  socket.on('error', () => {})
  const connected = once(socket, 'connect')
  let id = 0
  return {
    async ask(question: Question, withinMs = 5000): Promise<Answer> {
      await connected
      const asked = ++id
      return new Promise((resolve, reject) => {
        const send = (): void => socket.send(questionBytes(question, asked), () => {})
        const stop = (): void => {
          clearInterval(again)
          clearTimeout(late)
          socket.off('message', read)
        }
        const read = (message: Buffer): void => {
          if (message.readUInt16BE(0) !== (asked & 0xffff)) return
          stop()
          try {
            resolve(readAnswer(message))
          } catch (error) {
            reject(error)
          }
        }
        const again = setInterval(send, 200)
        const late = setTimeout(() => {
          stop()
          reject(
            new Error(`no answer to ${question.type} ${question.name} from port ${port} in ${withinMs} ms`),
          )
        }, withinMs)
        socket.on('message', read)
        send()
      })
    },
    [Symbol.dispose]: () => socket.close(),
  }
}

/** Waits until a question is answered with so many records. */
export async function answered(
  port: number,
  question: Question,
  records = 1,
  withinMs = 60_000,
): Promise<void> {
  using asker = openAsker(port)
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await asker.ask(question, withinMs)
    if (answer.rcode === 0 && (answer.truncated || answer.answers.length >= records)) return
    if (performance.now() > deadline)
      throw new Error(`${question.name} on port ${port} stays as it is: ${JSON.stringify(answer)}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** One question over a TCP connection of its own. */
export async function askByTcp(port: number, question: Question): Promise<Answer> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    const message = questionBytes(question, 1)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    socket.write(Buffer.concat([length, message]))
    let got = Buffer.alloc(0)
    for await (const chunk of socket) {
      got = Buffer.concat([got, chunk as Buffer])
      if (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) break
    }
    return readAnswer(got.subarray(2))
  } finally {
    socket.destroy()
  }
}

/** The number of an address, for benches that give an instance the n-th address of a network. */
export function addressOf(network: string, number: number): string {
  const address = `${network}.${Math.floor(number / 250)}.${(number % 250) + 1}`
  if (!isIPv4(address)) throw new Error(`${address} is no address`)
  return address
}
