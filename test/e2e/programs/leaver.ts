// A program that registers itself, and leaves the moment it may: `leaver URL SERVICE ID`.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from '@portolan/client'

const [url = '', service = '', id = ''] = process.argv.slice(2)
const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  request.resume().on('end', () => {
    setTimeout(() => response.end(JSON.stringify({ instance: id })), Math.random() * 20)
  })
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const portolan = await connect(url)
const lease = await portolan.register({ service, id, port, addresses: ['127.0.0.1'] })
process.on('SIGTERM', () => {
  void lease.close({ graceMs: 60_000 }).then(() => process.exit(0))
})
