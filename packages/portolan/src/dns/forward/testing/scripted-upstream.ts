import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { HostPort } from '@portolan/core'
import type { Opened } from '../../../proxy/testing/harness.ts'

/** What a message is answered with, one after another; none = never. */
export type Script = (message: Buffer, over: 'udp' | 'tcp') => readonly Buffer[]

export interface ScriptedUpstream {
  readonly address: HostPort
  /** Every message that came, over which transport, and from which port. */
  readonly seen: readonly { readonly message: Buffer; readonly over: 'udp' | 'tcp'; readonly from: number }[]
}

/** A resolver that says what it is told to, over UDP and TCP on one port. */
export async function scriptedUpstream(opened: Opened, script: Script): Promise<ScriptedUpstream> {
  const seen: { message: Buffer; over: 'udp' | 'tcp'; from: number }[] = []
  const tcp = createServer(socket => serve(socket))
  await once(tcp.listen(0, '127.0.0.1'), 'listening')
  const { port } = tcp.address() as AddressInfo
  const sockets = new Set<Socket>()
  const udp = createSocket('udp4')
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  udp.on('message', (message, from: RemoteInfo) => {
    seen.push({ message, over: 'udp', from: from.port })
    for (const answer of script(message, 'udp')) udp.send(answer, from.port, from.address)
  })
  opened.add(() => {
    udp.close()
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => tcp.close(resolve))
  })
  return { address: { host: '127.0.0.1', port }, seen }

  function serve(socket: Socket): void {
    sockets.add(socket)
    let pending = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', piece => {
      pending = Buffer.concat([pending, piece])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const message = pending.subarray(2, 2 + pending.readUInt16BE(0))
        pending = pending.subarray(2 + message.length)
        seen.push({ message, over: 'tcp', from: socket.remotePort ?? 0 })
        for (const answer of script(message, 'tcp')) socket.write(framed(answer))
      }
    })
  }
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
