import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Fault, formatHostPort, type HostPort } from '@portolan/core'
import type { GatewaySettings } from './settings.ts'

export interface Listener extends HostPort {
  readonly server: Server
}

/**
 * Opens a listener on each address; all of them, or none.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openListeners(
  settings: GatewaySettings,
  accept: (socket: Socket) => void,
  dropped: () => void,
): Promise<readonly Listener[]> {
  const open: Listener[] = []
  try {
    for (const address of settings.listen) open.push(await listen(address, settings, accept, dropped))
    return open
  } catch (fault) {
    await Promise.all(open.map(({ server }) => closeServer(server)))
    throw fault
  }
}

/** Takes no new connection; resolves when the last one has ended. */
export function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}

async function listen(
  { host, port }: HostPort,
  settings: GatewaySettings,
  accept: (socket: Socket) => void,
  dropped: () => void,
): Promise<Listener> {
  // Half-open, since a client may end its side before it has read its answer.
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: 65_536 }, accept)
  server.on('drop', dropped)
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenFault(error, host, port)))
    // Beside an IPv4 listener, one on `::` must leave it its port.
    const ipv6Only = settings.listen.length > 1 && host.includes(':')
    server.listen({ host, port, backlog: 4096, ipv6Only }, resolve)
  })
  const bound = server.address() as AddressInfo
  return { host: bound.address, port: bound.port, server }
}

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): Fault {
  const where = formatHostPort(host, port)
  if (error.code === 'EADDRINUSE') {
    return new Fault('address_in_use', `${where} is taken`, {
      source: 'caller',
      cause: error,
      hint: 'stop the other program, or choose another address for gateway.listen',
    })
  }
  return new Fault('config_invalid', `the gateway can't listen on ${where}: ${error.message}`, {
    source: 'caller',
    cause: error,
  })
}
