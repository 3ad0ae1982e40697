// Many instances in one process: whoever connects to PORT, at any address of this network, is accepted.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { obey } from './control.ts'

let accepted = 0
const server = createServer(socket => {
  accepted += 1
  socket.on('error', () => {}).on('end', () => socket.destroy())
  socket.resume()
})
server.listen({ port: Number(process.env.PORT ?? 0), host: '0.0.0.0', backlog: 65_535 })
await once(server, 'listening')
obey({ accepted: () => accepted })
const address = server.address()
process.stdout.write(`ready ${address !== null && typeof address === 'object' ? address.port : 0}\n`)
