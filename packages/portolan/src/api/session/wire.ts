import type { Duplex } from 'node:stream'
import type { ServerMessage } from '@portolan/core'
import { textFrame } from './frame.ts'

/** Unsent bytes from which on a session counts as congested: it gets its changes later, in one. */
const congestedAt = 262_144

/** What one connection's frames go out by. */
export interface Wire {
  /** An answer or a notice. Those of one turn of the event loop leave in one system call. */
  send(message: ServerMessage): void
  /** A frame that others get too, at once. False: congested; `onDrain` says when no longer. */
  push(frame: Buffer): boolean
  /** Bytes that the peer has not taken yet. */
  readonly unsent: number
}

/**
 * Writes frames straight to the socket of a websocket. The library's own sender would frame each message for each
 * receiver anew; both may write, since neither ever leaves a frame half written (no compression, no fragments).
 */
export function openWire(socket: Duplex): Wire {
  let corked = false

  const uncork = (): void => {
    corked = false
    socket.uncork()
  }

  return {
    send(message) {
      if (!socket.writable) return
      if (!corked) {
        corked = true
        socket.cork()
        process.nextTick(uncork)
      }
      socket.write(textFrame(JSON.stringify(message)))
    },
    push(frame) {
      if (!socket.writable) return false
      socket.write(frame)
      return socket.writableLength < congestedAt
    },
    get unsent() {
      return socket.writableLength
    },
  }
}
