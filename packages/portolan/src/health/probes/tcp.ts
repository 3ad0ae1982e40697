import { connect } from 'node:net'
import type { Instance, Milliseconds, ProbeResult, Prober } from '@portolan/core'
import { Turnstile } from '../turnstile.ts'

export interface TcpProberOptions {
  /** How long a connection may take. Default 500 ms. */
  readonly timeoutMs?: Milliseconds
  /** Instances that are probed at the same time; 5,000 at a restart must not exhaust descriptors. Default 128. */
  readonly concurrency?: number
}

/**
 * Probes by TCP connect to the first port that speaks TCP, at every address of the instance at once: one that
 * accepts is enough, and it is refused only when all of them refuse. The connection is closed without a byte.
 */
export function tcpProber({ timeoutMs = 500, concurrency = 128 }: TcpProberOptions = {}): Prober {
  const turnstile = new Turnstile(concurrency)
  return {
    probe: (instance, signal) => turnstile.run(() => probeInstance(instance, timeoutMs, signal)),
  }
}

async function probeInstance(
  { addresses, ports }: Instance,
  timeoutMs: Milliseconds,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = ports.find(({ protocol }) => protocol !== 'udp')
  if (port === undefined || signal.aborted) return 'silent'
  const results = await Promise.all(addresses.map(host => probeAddress(host, port.number, timeoutMs, signal)))
  if (results.includes('answered')) return 'answered'
  return results.length > 0 && results.every(result => result === 'refused') ? 'refused' : 'silent'
}

/** One connection. What fails on our side, such as a missing route or too many open files, proves nothing. */
function probeAddress(
  host: string,
  port: number,
  timeoutMs: Milliseconds,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    const settle = (result: ProbeResult): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      socket.destroy()
      resolve(result)
    }
    const giveUp = (): void => settle('silent')
    // When it was ourselves who were late, the answer is here already: it is read before the timer counts.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs)
    signal.addEventListener('abort', giveUp, { once: true })
    socket.once('connect', () => settle('answered'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    )
  })
}
