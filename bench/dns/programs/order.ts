// An instance of `order` that says goodbye: `order URL ID ADDRESS PORT`. It answers after up to 20 ms and keeps connections
// alive; told to leave, it drains, and whoever told it may end it at once, in the middle of whatever it does.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from '@portolan/client'
import { obey } from '../../../test/faults/programs/control.ts'

const [url = '', id = '', address = '', port = '0'] = process.argv.slice(2)
let open = 0

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  open += 1
  response.once('close', () => {
    open -= 1
  })
  request.resume().on('end', () => {
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ instance: id }))
    }, Math.random() * 20)
  })
})
server.listen(Number(port), address)
await once(server, 'listening')
const portolan = await connect(url)
const lease = await portolan.register({ service: 'order', id, address, port: Number(port) })

obey({
  /** Resolves when nobody picks it any more. */
  leave: async () => {
    const from = performance.now()
    await lease.close()
    return { ms: performance.now() - from, open }
  },
})
process.stdout.write('ready\n')
