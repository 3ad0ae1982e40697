import type { HostPort } from '@portolan/core'
import { openTcp, type TcpOptions } from './tcp.ts'
import { openUdp, type UdpOptions } from './udp.ts'

/** One address, over both. */
export interface Pair extends HostPort {
  close(): Promise<void>
}

/** How often a free port is looked for that is free for both. */
const attempts = 20

/**
 * Listens over UDP and TCP at the same port.
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openPair(
  listen: HostPort,
  udpOptions: Omit<UdpOptions, 'listen'>,
  tcpOptions: Omit<TcpOptions, 'listen'>,
): Promise<Pair> {
  for (let left = attempts; ; left--) {
    const tcp = await openTcp({ ...tcpOptions, listen })
    try {
      const udp = await openUdp({ ...udpOptions, listen: { host: listen.host, port: tcp.port } })
      return {
        host: udp.host,
        port: udp.port,
        close: async () => {
          await Promise.all([udp.close(), tcp.close()])
        },
      }
    } catch (fault) {
      await tcp.close()
      // Any port will do where none is named: this one was free for TCP alone.
      if (listen.port !== 0 || left === 1) throw fault
    }
  }
}
