import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { readInto } from './shared-inbox.ts'

const open: { close(): unknown }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

/** A socket that a server has accepted, and the client's end of it. */
async function accepted(): Promise<{ socket: Socket; client: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  open.push(server, { close: () => client.destroy() }, { close: () => socket.destroy() })
  return { socket, client }
}

/** Collects what is read until as much has come. */
function collector(wanted: number) {
  const places = new Set<ArrayBufferLike>()
  let text = ''
  let complete = (): void => {}
  const done = new Promise<void>(resolve => {
    complete = resolve
  })
  const onRead = (bytes: Uint8Array, size: number): void => {
    places.add(bytes.buffer)
    text += Buffer.from(bytes.subarray(0, size)).toString('latin1')
    if (text.length >= wanted) complete()
  }
  return { onRead, done, places, read: () => text }
}

/** Two readers of one socket, the second in place of the first: each gets what comes in its time. */
async function oneAfterAnother(inbox: Buffer, socket: Socket, client: Socket) {
  const [first, second] = [collector(1), collector(1)]
  readInto(inbox, socket, first.onRead)
  client.write('1')
  await first.done
  readInto(inbox, socket, second.onRead)
  client.write('2')
  await second.done
  expect([first.read(), second.read()]).toEqual(['1', '2'])
  return { places: new Set([...first.places, ...second.places]) }
}

describe('a shared inbox', () => {
  it('is where several accepted sockets are read into, on this Node', async () => {
    const inbox = Buffer.allocUnsafeSlow(65_536)
    const ends = [await accepted(), await accepted()]
    for (const [index, { socket, client }] of ends.entries()) {
      const got = collector(5)
      readInto(inbox, socket, got.onRead)
      client.write(`hello${index}`)
      await got.done
      expect(got.read()).toBe(`hello${index}`)
      expect([...got.places]).toEqual([inbox.buffer])
    }
  })

  it('says when the peer ends, pauses and goes on, and loses nothing', async () => {
    const inbox = Buffer.allocUnsafeSlow(1024)
    const { socket, client } = await accepted()
    const size = 300_000
    const got = collector(size)
    const ended = once(socket, 'end')
    readInto(inbox, socket, (bytes, read) => {
      got.onRead(bytes, read)
      socket.pause()
      setImmediate(() => socket.resume())
    })
    const text = Array.from({ length: size }, (_, index) => String.fromCharCode(97 + (index % 23))).join('')
    client.end(text, 'latin1')
    await got.done
    expect(got.read()).toBe(text)
    await ended
    expect(socket.bytesRead).toBe(size)
  })

  it('gives the bytes to whoever has asked for them last', async () => {
    const inbox = Buffer.allocUnsafeSlow(1024)
    const { socket, client } = await accepted()
    const { places } = await oneAfterAnother(inbox, socket, client)
    expect(places.has(inbox.buffer)).toBe(true)
  })

  it('goes by events for a socket that has no such buffer', async () => {
    const inbox = Buffer.allocUnsafeSlow(1024)
    const { socket, client } = await accepted()
    // What a Node without these fields, or another kind of handle, looks like.
    Object.assign((socket as unknown as { _handle: object })._handle, { useUserBuffer: undefined })
    const { places } = await oneAfterAnother(inbox, socket, client)
    expect(places.has(inbox.buffer)).toBe(false)
  })
})
