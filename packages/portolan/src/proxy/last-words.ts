import type { Socket } from 'node:net'

/**
 * Keeps a socket readable whose peer takes no more. An instance that refuses a body says so (413), closes, and is written to
 * once more before that has been read: Node destroys a socket at the first failed write, unread answer and all.
 * `onRefused` is called instead, once; from then on nothing may be written, and the socket is its owner's to destroy.
 */
export function keepReadable(socket: Socket, onRefused: () => void): void {
  const { destroy } = socket
  let refused = false
  socket.destroy = error => {
    if (error === undefined || !('syscall' in error) || error.syscall !== 'write') destroy.call(socket, error)
    else if (!refused) {
      refused = true
      onRefused()
    }
    return socket
  }
}

/** Calls `done` when all has been read that had come: whoever refuses a write says nothing after that. */
export function whenAllIsRead(socket: Socket, done: () => void): void {
  const before = socket.bytesRead
  // The loop looks at sockets once between the two.
  setImmediate(() => {
    setImmediate(() => {
      if (socket.bytesRead > before) whenAllIsRead(socket, done)
      else done()
    })
  })
}
