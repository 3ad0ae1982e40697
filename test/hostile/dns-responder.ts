import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Outgoing } from '../../packages/portolan/src/dns/codec/message.ts'
import type { Query } from '../../packages/portolan/src/dns/codec/query.ts'
import { readQuery } from '../../packages/portolan/src/dns/codec/read-query.ts'
import { writeMessage } from '../../packages/portolan/src/dns/codec/write-message.ts'
import type { Opened } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { freePort } from '../ports.ts'

/** What is said to a query, as far as it is not said already. */
export type Saying = Partial<Omit<Outgoing, 'id' | 'question'>>

const serverCookie = Buffer.alloc(16, 0x5c)

function reply(message: Buffer, most: number, say: (query: Query) => Saying): Buffer | undefined {
  const query = readQuery(message)
  if (query === 'dropped') return undefined
  const nothing = {
    answers: [],
    authority: [],
    additional: [],
    recursionAvailable: false,
    authoritative: false,
  }
  const { id, question, recursionDesired } = query
  if ('rcode' in query) {
    const { rcode, opcode } = query
    const edns = query.edns ? { edns: { size: 1232, dnssecOk: false } } : {}
    const rest = { id, question, recursionDesired, checkingDisabled: false, rcode, opcode, limit: most }
    return writeMessage({ ...nothing, ...rest, ...edns })
  }
  const { edns, checkingDisabled } = query
  const cookie =
    edns?.cookie === undefined ? {} : { cookie: Buffer.concat([edns.cookie.subarray(0, 8), serverCookie]) }
  return writeMessage({
    ...nothing,
    authoritative: true,
    rcode: 'NOERROR',
    limit: Math.min(most, most === 65_535 ? most : (edns?.size ?? 512)),
    ...(edns === undefined ? {} : { edns: { size: 1232, dnssecOk: edns.dnssecOk, ...cookie } }),
    ...say(query),
    id,
    question,
    recursionDesired,
    checkingDisabled,
  })
}

/** Answers over UDP and TCP with what our codec makes of `say`, and nothing else of ours. */
export async function openResponder(opened: Opened, say: (query: Query) => Saying): Promise<number> {
  const port = await freePort()
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    const bytes = reply(message, 1232, say)
    if (bytes !== undefined) udp.send(bytes, from.port, from.address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  opened.add(() => udp.close())
  const sockets = new Set<Socket>()
  const tcp = createServer(socket => {
    sockets.add(socket)
    let held = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', chunk => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        const bytes = reply(held.subarray(2, end), 65_535, say)
        held = held.subarray(end)
        if (bytes !== undefined)
          socket.write(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]))
      }
    })
  })
  await once(tcp.listen(port, '127.0.0.1'), 'listening')
  opened.add(() => {
    for (const socket of sockets) socket.destroy()
    tcp.close()
  })
  return port
}
