import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { HostPort } from '@portolan/core'
import { listenFault } from './listen-fault.ts'

export interface UdpOptions {
  readonly listen: HostPort
  /** The answer to a message, at once or later; `undefined` = none. */
  readonly answer: (message: Buffer, address: string) => Buffer | Promise<Buffer | undefined> | undefined
  /** An answer could not be made, or the socket has failed. It goes on. What can't be sent is lost, as datagrams are. */
  readonly failed: (error: Error) => void
}

export interface Udp extends HostPort {
  close(): Promise<void>
}

/** A second's worth of questions at full speed: what comes while this process is at something else waits here. */
const bufferBytes = 4 * 1024 * 1024

/**
 * Answers messages over UDP on one address.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openUdp({ listen, answer, failed }: UdpOptions): Promise<Udp> {
  const isV6 = listen.host.includes(':')
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    ipv6Only: isV6,
    // Addresses are all that we send to. Node's own look-up of them costs a turn of the loop an answer.
    lookup: (host, _options, done) => done(null, host, isV6 ? 6 : 4),
  })
  const send = (bytes: Buffer, { port, address }: RemoteInfo): void => {
    // Who asks from port 0 can't be answered.
    if (port > 0) socket.send(bytes, port, address)
  }
  let isOpen = true
  const later = async (made: Promise<Buffer | undefined>, from: RemoteInfo): Promise<void> => {
    const bytes = await made
    if (bytes !== undefined && isOpen) send(bytes, from)
  }
  socket.on('message', (message, from) => {
    // Whatever goes wrong with one message, the others have their answers.
    try {
      const made = answer(message, from.address)
      if (made instanceof Uint8Array) send(made, from)
      else if (made !== undefined) later(made, from).catch(failed)
    } catch (error) {
      failed(error as Error)
    }
  })
  await bound(socket, listen)
  socket.on('error', failed)
  enlarge(socket)
  const { address, port } = socket.address()
  return {
    host: address,
    port,
    close: () =>
      new Promise(resolve => {
        isOpen = false
        socket.close(() => resolve())
      }),
  }
}

/** As far as the system lets us: its own limit (net.core.rmem_max) counts. */
function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(bufferBytes)
    socket.setSendBufferSize(bufferBytes)
  } catch {
    // Smaller ones lose questions earlier under load, which clients ask again.
  }
}

function bound(socket: Socket, listen: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => {
      socket.close()
      reject(listenFault(error, listen, 'UDP'))
    }
    socket.once('error', refuse)
    socket.bind({ address: listen.host, port: listen.port, exclusive: true }, () => {
      socket.off('error', refuse)
      resolve()
    })
  })
}
