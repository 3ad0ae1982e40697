// A program that echoes WebSocket messages, and streams numbered events to whoever asks for /events. Told to end, it takes
// leave in good order: a close frame to each socket, a last event to each stream.
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const streams = new Set()
const server = createServer((request, response) => {
  if (request.url !== '/events') {
    response.end('here\n')
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  let number = 0
  const timer = setInterval(() => response.write(`data: ${++number}\n\n`), 100)
  streams.add(response)
  response.on('close', () => {
    clearInterval(timer)
    streams.delete(response)
  })
})
const sockets = new WebSocketServer({ server })
sockets.on('connection', socket =>
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
)

process.on('SIGTERM', () => {
  for (const socket of sockets.clients) socket.close(1001, 'going away')
  for (const stream of streams) stream.end('event: end\ndata: bye\n\n')
  server.close()
  // Whoever does not answer the farewell is not waited for.
  setTimeout(() => process.exit(0), 3000).unref()
})
server.listen(Number(process.env.PORT), '127.0.0.1')
