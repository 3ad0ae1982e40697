// Stands in for many instances: one listener for every address of 127.0.0.0/8, so that a thousand instances are a
// thousand addresses. Answers /health and everything else with 200, keeps connections open for as long as the other
// side likes, and counts who asked. GET /counts says how often. Prints its port.
import { createServer, type Socket } from 'node:net'

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n')
const last = Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n')
const counts = { ours: 0, others: 0, business: 0 }

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  socket.on('data', data => {
    const text = data.toString('latin1')
    if (text.startsWith('GET /counts')) {
      const body = JSON.stringify(counts)
      socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    } else if (!text.startsWith('GET /health')) {
      counts.business++
      socket.write(answer)
    } else if (text.includes('portolan-health')) {
      counts.ours++
      socket.write(answer)
    } else {
      counts.others++
      socket.end(last)
    }
  })
}

const server = createServer({ noDelay: true }, serve)
server.listen({ port: Number(process.argv[2] ?? 0), host: '0.0.0.0', backlog: 4096 }, () => {
  const address = server.address()
  process.stdout.write(`port ${typeof address === 'object' ? address?.port : ''}\n`)
})
