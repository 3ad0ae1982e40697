import { once } from 'node:events'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { expect, it } from 'vitest'
import { fixture } from '../testing/fixture.ts'
import { eventually } from '../testing/harness.ts'
import { bytesTaken } from './taken.ts'

const { opened } = fixture()

it('sees what a slow reader takes of one large write', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  opened.add(() => server.close())
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  opened.add(() => client.destroy())
  const [socket] = await once(server, 'connection')
  if (!(socket instanceof Socket)) throw new Error('no socket')
  socket.on('error', () => {})
  const size = 30_000_000
  socket.write(Buffer.alloc(size))
  const first = bytesTaken(socket)
  expect(first).toBeLessThan(size)
  let received = 0
  client.on('data', chunk => {
    received += chunk.length
    // More than the kernel's buffers: it has to take further bytes.
    if (received > 15_000_000 && received - chunk.length <= 15_000_000) client.pause()
  })
  client.resume()
  await eventually(() => client.isPaused() && bytesTaken(socket) > first)
  // The whole write is under way still.
  expect(socket.writableLength).toBe(size)
  client.resume()
  await eventually(() => bytesTaken(socket) === size)
  expect(socket.writableLength).toBe(0)
})
