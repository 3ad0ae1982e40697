// A program that knows nothing of Portolan and of manners: it answers on PORT after up to 20 ms, keeps connections
// alive, and is gone the moment it is told to end, whatever it is in the middle of.
import { createServer } from 'node:http'

const instance = process.env.PORTOLAN_INSTANCE ?? `abrupt-${process.pid}`
const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  request.resume().on('end', () => {
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ instance, colour: process.env.COLOUR }))
    }, Math.random() * 20)
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('open\n'))
