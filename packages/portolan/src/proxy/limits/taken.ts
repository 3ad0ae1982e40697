import type { Socket } from 'node:net'

/** What Node knows of a socket and does not publish: how much of a write under way is left. */
interface Inner {
  readonly _bytesDispatched?: number
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/**
 * Bytes that the kernel has taken from a socket so far. `writableLength` falls only when a whole write has gone, which a
 * slow peer may need minutes for: by the queue of the handle, parts of one are seen, too.
 */
export function bytesTaken(socket: Socket): number {
  const { _bytesDispatched: dispatched, _handle: handle } = socket as Inner
  const left = handle?.writeQueueSize
  if (dispatched === undefined || left === undefined) return socket.bytesWritten - socket.writableLength
  return dispatched - left
}
