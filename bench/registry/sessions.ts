import { once } from 'node:events'
import WebSocket from 'ws'

/** Registers over one session, one at a time: `next` gives the following instance or ends the session's work. */
async function work(socket: WebSocket, next: () => object | undefined): Promise<void> {
  const finished = new Promise<void>((resolve, reject) => {
    let seq = 0
    const send = (): void => {
      const instance = next()
      seq += 1
      if (instance === undefined) resolve()
      else socket.send(JSON.stringify({ type: 'register', seq, instance }))
    }
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text.startsWith('{"type":"failed"')) reject(new Error(text))
      else if (text.startsWith('{"type":"done"') || text.startsWith('{"type":"welcome"')) send()
    })
    socket.on('close', () => reject(new Error('the registry closed a session')))
  })
  socket.send(JSON.stringify({ type: 'hello', protocol: 1, kind: 'sdk', name: 'bench' }))
  await finished
}

export interface Load {
  readonly sessions: readonly WebSocket[]
  readonly perSecond: number
  close(): void
}

/** `count` registrations over 64 sessions, one in flight each, and how many a second were acknowledged. */
export async function registerMany(url: string, count: number, sessions = 64, round = 0): Promise<Load> {
  const sockets = Array.from(
    { length: sessions },
    () => new WebSocket(`${url.replace('http', 'ws')}/api/v1/session`, { perMessageDeflate: false }),
  )
  await Promise.all(sockets.map(socket => once(socket, 'open')))
  let given = 0
  const next = (): object | undefined => {
    if (given >= count) return undefined
    given += 1
    return {
      service: `service-${given % 1000}`,
      id: `instance-${round}-${given}`,
      // An address of this machine: a registry probes what a lost session leaves behind.
      addresses: ['127.0.0.1'],
      ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
      zone: 'zone-a',
      version: '1.4.2',
      tags: ['blue', 'canary'],
      metadata: { pid: String(given), team: 'checkout' },
    }
  }
  const start = performance.now()
  await Promise.all(sockets.map(socket => work(socket, next)))
  const seconds = (performance.now() - start) / 1000
  return {
    sessions: sockets,
    perSecond: count / seconds,
    close: () => {
      for (const socket of sockets) {
        socket.removeAllListeners('close')
        socket.terminate()
      }
    },
  }
}
