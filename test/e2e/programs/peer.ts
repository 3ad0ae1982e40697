// A supervised program that calls its own service, and is gone the moment it is told to end, without a word to anybody.
import { createServer } from 'node:http'
import { connect } from '@portolan/client'

const portolan = await connect()
const order = portolan.service('order')
const ask = (): void => {
  order
    .fetch('/')
    .then(response => response.text())
    .catch(() => {})
}
const instance = process.env.PORTOLAN_INSTANCE
createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  request.resume().on('end', () => response.end(JSON.stringify({ instance })))
}).listen(Number(process.env.PORT), '127.0.0.1', () => setInterval(ask, 50))
