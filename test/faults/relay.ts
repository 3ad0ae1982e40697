import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a TCP server on which bytes take longer. */
export interface Relay {
  readonly port: number
  /** Takes so long each way, from the next bytes on. */
  delay(ms: number): void
  /** Swallows what comes, both ways, and keeps connections open; or lets it through again (what was swallowed is lost). */
  swallow(on: boolean): void
  close(): Promise<void>
}

/** Relays 127.0.0.1:`port` of its own to `to`. The order of bytes stays, the ends of streams pass like bytes. */
export async function openRelay(to: { readonly host: string; readonly port: number }): Promise<Relay> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let swallowing = false

  const pump = (from: Socket, into: Socket): void => {
    sockets.add(from)
    // Each chunk waits behind the one before it, also when the delay is shortened.
    let last = 0
    const later = (act: () => void): void => {
      const due = Math.max(performance.now() + delayMs, last)
      last = due
      if (due <= performance.now()) act()
      else setTimeout(act, due - performance.now())
    }
    from.on('data', chunk => {
      if (!swallowing) later(() => into.write(chunk))
    })
    from.on('end', () => {
      if (!swallowing) later(() => into.end())
    })
    from.on('error', () => into.destroy())
    from.on('close', () => {
      sockets.delete(from)
      if (!swallowing) later(() => into.destroySoon())
    })
  }

  const server = createServer({ allowHalfOpen: true }, near => {
    const far = connect({ ...to, allowHalfOpen: true })
    pump(near, far)
    pump(far, near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    delay(ms) {
      delayMs = ms
    },
    swallow(on) {
      swallowing = on
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
