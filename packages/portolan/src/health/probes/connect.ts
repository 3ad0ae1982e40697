import { connect } from 'node:net'
import type { ProbeResult, TcpCheck } from '@portolan/core'
import type { Probe } from './probe.ts'

/** A bare connect to the default port of the first address. Stands in until the TCP probe is there. */
export function connectProbe(): Probe<TcpCheck> {
  return {
    start({ instance, check }, settle) {
      const started = performance.now()
      const port =
        instance.ports.find(({ number, name }) => number === check.port || name === check.port) ??
        instance.ports.find(({ protocol }) => protocol !== 'udp')
      const socket = connect({ host: instance.addresses[0] ?? '', port: port?.number ?? 0 })
      const end = (presence: ProbeResult, reason: string): void => {
        socket.destroy()
        const status = presence === 'answered' ? 'passing' : 'critical'
        settle({ status, presence, reason, latencyMs: performance.now() - started })
      }
      socket.once('connect', () => end('answered', ''))
      socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
        end(code === 'ECONNREFUSED' ? 'refused' : 'silent', `connect: ${code}`),
      )
      return { cancel: () => socket.removeAllListeners('connect').destroy() }
    },
    async close() {},
  }
}
