// A program that knows nothing of Portolan: it answers on PORT with a metric, as Prometheus reads them.
import { createServer } from 'node:http'

const instance = process.env.PORTOLAN_INSTANCE ?? `metrics-${process.pid}`
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
  response.end(`orders_total{by="${instance}"} 1\n`)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
