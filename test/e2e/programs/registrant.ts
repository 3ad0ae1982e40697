// Registers COUNT instances over one session and says so: `registrant URL SERVICE COUNT PREFIX`.
// They all stand behind one port that answers, so that a probe finds each of them alive.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { connect } from '@portolan/client'

const [url = '', service = '', count = '1', prefix = 'i'] = process.argv.slice(2)
const server = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const port = address !== null && typeof address === 'object' ? address.port : 0

// Lazy: a registration waits for its registry for as long as it takes.
const portolan = await connect(url, { lazy: true })
let acknowledged = 0
await Promise.all(
  Array.from({ length: Number(count) }, async (_, i) => {
    const id = `${prefix}-${i}`
    await portolan.register({ service, id, port, addresses: ['127.0.0.1'] })
    acknowledged += 1
    process.stdout.write(`ack ${id}\n`)
  }),
)
process.stdout.write(`all ${acknowledged}\n`)
process.on('SIGTERM', () => process.exit(0))
