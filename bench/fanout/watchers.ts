import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import WebSocket from 'ws'

/** Counts arrivals at many sockets: `round()` resolves with the milliseconds until the last of them had its own. */
export class Arrivals {
  readonly #size: number
  #missing: Set<number> = new Set()
  #finish: ((last: number) => void) | undefined
  /** Arrivals while nobody was expected: wake-ups for nothing. */
  unexpected = 0

  constructor(size: number) {
    this.#size = size
  }

  arrived(index: number): void {
    if (!this.#missing.delete(index)) this.unexpected += 1
    else if (this.#missing.size === 0) this.#finish?.(performance.now())
  }

  async round(trigger: () => unknown, withinMs = 20_000): Promise<number> {
    this.#missing = new Set(Array.from({ length: this.#size }, (_, index) => index))
    const finished = new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${this.#missing.size} watchers never heard`)), withinMs)
      this.#finish = last => {
        clearTimeout(late)
        resolve(last)
      }
    })
    const start = performance.now()
    trigger()
    return (await finished) - start
  }
}

/** `count` sockets at the bare server, after the one that triggers it. */
export async function openBare(port: number, count: number) {
  const arrivals = new Arrivals(count)
  const trigger = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(trigger, 'connect')
  const sockets: Socket[] = []
  for (let i = 0; i < count; i++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.on('data', () => arrivals.arrived(i))
    sockets.push(socket)
  }
  return {
    arrivals,
    trigger: () => trigger.write('x'),
    close: () => {
      for (const socket of [trigger, ...sockets]) socket.destroy()
    },
  }
}

/** `count` sessions of the registry, each watching `service(i)`; an arrival is a frame of kind `delta`. */
export async function openSessions(url: string, count: number, service: (index: number) => string) {
  const arrivals = new Arrivals(count)
  const sessions: WebSocket[] = []
  let bytes = 0
  for (let i = 0; i < count; i++) {
    const session = new WebSocket(`${url.replace('http', 'ws')}/api/v1/session`, { perMessageDeflate: false })
    await once(session, 'open')
    const watching = new Promise<void>(resolve => {
      session.on('message', (data: Buffer) => {
        if (data.includes('"type":"delta"')) {
          bytes = data.length
          arrivals.arrived(i)
        } else if (data.includes('"type":"done"')) resolve()
      })
    })
    session.send(JSON.stringify({ type: 'hello', protocol: 1, kind: 'sdk', name: `watcher-${i}` }))
    session.send(JSON.stringify({ type: 'watch', seq: 1, service: service(i) }))
    await watching
    sessions.push(session)
  }
  return {
    arrivals,
    bytes: () => bytes,
    close: () => {
      for (const session of sessions) session.terminate()
    },
  }
}
