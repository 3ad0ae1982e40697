// The peer of the fan-out: holds sockets open, and on any byte of its first one writes as many bytes to all others in
// a bare loop. Prints its port.
import { createServer, type Socket } from 'node:net'

const payload = Buffer.alloc(Number(process.argv[2] ?? 400), 0x2e)
const sockets: Socket[] = []
const server = createServer({ noDelay: true }, socket => {
  sockets.push(socket)
  socket.on('error', () => undefined)
  if (sockets[0] !== socket) return
  socket.on('data', () => {
    for (let i = 1; i < sockets.length; i++) sockets[i]?.write(payload)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`port ${typeof address === 'object' ? address?.port : ''}\n`)
})
