import { Socket } from 'node:net'

/** The fields in which Node keeps what `onread` of `net.connect` has set. */
const [bufferField, callbackField] = ['kBuffer', 'kBufferCb'].map(name =>
  Object.getOwnPropertySymbols(new Socket()).find(symbol => symbol.description === name),
)

/**
 * Reads what comes on an accepted socket into `inbox`, which many may share: what `onRead` is given is used, or copied,
 * before it returns. Called once more, it gives the bytes to somebody else.
 *
 * Node does this for sockets that connect (`onread`), and has no way to ask for it where a server accepts; so this sets
 * what that option sets. Else each read costs a buffer of its own with all that the stream and the garbage collector do
 * about it: requests/s fall by a tenth, with 256 connections by more. `shared-inbox.test.ts` fails on a Node that has
 * these fields no more; there each read comes as an event, as it does everywhere.
 */
export function readInto(
  inbox: Buffer,
  socket: Socket,
  onRead: (bytes: Uint8Array, size: number) => void,
): void {
  if (!useBuffer(inbox, socket, onRead)) {
    socket.removeAllListeners('data')
    socket.on('data', (chunk: Buffer) => onRead(chunk, chunk.length))
  }
  socket.resume()
}

function useBuffer(
  inbox: Buffer,
  socket: Socket,
  onRead: (bytes: Uint8Array, size: number) => void,
): boolean {
  const { _handle: handle } = socket as { _handle?: { useUserBuffer?(buffer: Buffer): void } | null }
  if (bufferField === undefined || callbackField === undefined || handle?.useUserBuffer === undefined) {
    return false
  }
  const callback = (size: number, bytes: Uint8Array): boolean => {
    onRead(bytes, size)
    return true
  }
  Object.assign(socket, { [bufferField]: inbox, [callbackField]: callback })
  handle.useUserBuffer(inbox)
  return true
}
