import { connect } from 'node:net'
import {
  checkDefaults,
  type Milliseconds,
  type ProbeResult,
  type Prober,
  type TcpCheck,
} from '@portolan/core'
import { Turnstile } from '../turnstile.ts'
import { aimAt } from './aim.ts'
import { lookAtEach } from './each-address.ts'
import { nobodyThere, passing, unconnected, unprobeable } from './findings.ts'
import { isOwnEcho } from './own-echo.ts'
import { Partings } from './partings.ts'
import type { Finding, Probe } from './probe.ts'
import { settleSoon } from './settle-soon.ts'

/**
 * Connects to the port at the instance's addresses: one that accepts is enough, and it is refused only when all of them
 * refuse. The connection is ended without a byte, and what the other side says first (SSH, SMTP and MySQL do) is taken,
 * so that it sees an end and no reset.
 */
export function tcpProbe(): Probe<TcpCheck> {
  const partings = new Partings()
  const nothing = { buffer: Buffer.allocUnsafeSlow(16_384), callback: () => true }

  const look = (host: string, port: number, settle: (finding: Finding) => void): (() => void) => {
    const begun = performance.now()
    const socket = connect({ host, port, onread: nothing, autoSelectFamily: false })
    let over = false
    socket.on('connect', () => {
      if (over) return
      over = true
      const latencyMs = performance.now() - begun
      const self = isOwnEcho(socket, port)
      if (self) socket.destroy()
      else partings.part(socket)
      settle(self ? nobodyThere(host, port, latencyMs) : passing(latencyMs))
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (over) return
      over = true
      settle(unconnected(error, host, port, performance.now() - begun))
    })
    return () => {
      // Once it has settled, the connection is left to end in peace.
      if (over) return
      over = true
      socket.destroy()
    }
  }

  return {
    start({ instance, check }, settle) {
      const aim = aimAt(instance, check.port)
      if (typeof aim === 'string') return settleSoon(unprobeable(aim), settle)
      const cancel = lookAtEach(aim.addresses, (host, found) => look(host, aim.port, found), settle)
      return { cancel, waitingFor: () => 'no connection' }
    },
    close: () => partings.close(),
  }
}

export interface TcpProberOptions {
  /** How long a connection may take. Default 500 ms. */
  readonly timeoutMs?: Milliseconds
  /** Instances that are probed at the same time; 5,000 at a restart must not exhaust descriptors. Default 128. */
  readonly concurrency?: number
}

/** The TCP probe alone as the registry's prober: for tests, and where no health checks run. */
export function tcpProber({
  timeoutMs = checkDefaults.timeoutMs,
  concurrency = 128,
}: TcpProberOptions = {}): Prober {
  const probe = tcpProbe()
  const turnstile = new Turnstile(concurrency)
  const check: TcpCheck = { type: 'tcp', id: 'tcp', ...checkDefaults, timeoutMs }
  return {
    probe: (instance, signal) =>
      turnstile.run(
        () =>
          new Promise(resolve => {
            if (signal.aborted) {
              resolve('silent')
              return
            }
            const end = (result: ProbeResult): void => {
              clearTimeout(timer)
              signal.removeEventListener('abort', giveUp)
              running.cancel()
              resolve(result)
            }
            const giveUp = (): void => end('silent')
            const running = probe.start({ instance, check, fresh: true }, ({ presence }) => end(presence))
            // When it was ourselves who were late, the answer is here already: it is read before the timer counts.
            const timer = setTimeout(() => setImmediate(giveUp), timeoutMs)
            signal.addEventListener('abort', giveUp, { once: true })
          }),
      ),
  }
}
