// A program that knows nothing of Portolan: answers on PORT with the name that its supervisor gave it.
import { createServer } from 'node:http'

const instance = process.env.PORTOLAN_INSTANCE ?? `echo-${process.pid}`
const delayMs = Number(process.env.ECHO_DELAY_MS ?? 0)
const server = createServer((request, response) => {
  const answer = () => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ instance, method: request.method, url: request.url }))
  }
  request.resume().on('end', () => (delayMs > 0 ? setTimeout(answer, delayMs) : answer()))
})
server.keepAliveTimeout = 75_000
server.listen(Number(process.env.PORT), '127.0.0.1')
process.once('SIGTERM', () => {
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
