import { connect, type Socket } from 'node:net'
import { Frames, framed } from '../tcp/frames.ts'

/** A message as long as a header at least: a number, and whatever follows. */
export function numbered(id: number, length = 12): Buffer {
  const message = Buffer.alloc(length)
  message.writeUInt16BE(id)
  return message
}

export const numberOf = (message: Buffer): number => message.readUInt16BE(0)

/** The client's side of a connection in tests. */
export interface TcpPeer {
  readonly socket: Socket
  /** What has been answered so far. */
  readonly answers: readonly Buffer[]
  readonly isClosed: boolean
  /** How it was closed: `undefined` = in order. */
  readonly error: NodeJS.ErrnoException | undefined
  ask(...messages: Buffer[]): void
  [Symbol.dispose](): void
}

/** Resolves when it is connected. */
export async function tcpPeer(port: number, host = '127.0.0.1', localAddress?: string): Promise<TcpPeer> {
  const frames = new Frames()
  const state = {
    answers: [] as Buffer[],
    isClosed: false,
    error: undefined as NodeJS.ErrnoException | undefined,
  }
  const socket = connect({
    port,
    host,
    allowHalfOpen: true,
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  })
  socket.on('data', (chunk: Buffer) => {
    frames.push(chunk)
    for (let next = frames.next(); next !== undefined; next = frames.next()) state.answers.push(next)
  })
  socket.on('end', () => socket.end())
  socket.on('close', () => {
    state.isClosed = true
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.on('error', error => {
      state.error = error
      reject(error)
    })
  })
  return {
    socket,
    get answers() {
      return state.answers
    },
    get isClosed() {
      return state.isClosed
    },
    get error() {
      return state.error
    },
    ask(...messages) {
      socket.write(Buffer.concat(messages.map(framed)))
    },
    [Symbol.dispose]() {
      socket.destroy()
    },
  }
}
