import { connect } from 'node:net'

const loopbacks = ['127.0.0.1', '::1'] as const
const eagerMs = 25
const patientMs = 250
const eagerTries = 400
const connectTimeoutMs = 1000

/**
 * Waits until a loopback address accepts connections on `port`, looking every 25 ms, after ten seconds every 250 ms.
 * @returns that address, or undefined when `signal` aborted first
 */
export async function portOpen(port: number, signal: AbortSignal): Promise<string | undefined> {
  for (let tries = 0; !signal.aborted; tries++) {
    for (const address of loopbacks) {
      if (await accepts(address, port)) return signal.aborted ? undefined : address
    }
    await pause(tries < eagerTries ? eagerMs : patientMs, signal)
  }
  return undefined
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    const finish = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.setTimeout(connectTimeoutMs, () => finish(false))
    // A connection to a closed port among the outgoing ones may meet itself (TCP's simultaneous open).
    socket.once('connect', () => finish(socket.localPort !== port))
    socket.once('error', () => finish(false))
  })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal.addEventListener('abort', finish)
  })
}
