import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import WebSocket from 'ws'

/** One session that registers one instance at a time and waits for each acknowledgement. */
async function openSession(url: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/session`, { perMessageDeflate: false })
  await once(socket, 'open')
  let answered: (text: string) => void = () => undefined
  let failed: (error: Error) => void = () => undefined
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    if (text.startsWith('{"type":"failed"')) failed(new Error(text))
    else if (text.startsWith('{"type":"done"') || text.startsWith('{"type":"welcome"')) answered(text)
  })
  socket.on('close', () => failed(new Error('the registry closed a session')))
  const ask = (message: object): Promise<string> =>
    new Promise((resolve, reject) => {
      answered = resolve
      failed = reject
      socket.send(JSON.stringify(message))
    })
  await ask({ type: 'hello', protocol: 1, kind: 'sdk', name: 'bench' })
  let seq = 0
  return {
    register: (instance: object): Promise<string> => {
      seq += 1
      return ask({ type: 'register', seq, instance })
    },
    close: () => {
      socket.removeAllListeners('close')
      socket.terminate()
    },
  }
}

function instance(number: number, { port, checks }: Tested): object {
  return {
    ...(checks === undefined ? {} : { checks }),
    service: `service-${number % 1000}`,
    id: `instance-${number}`,
    // An address of this machine: a registry probes what a lost session leaves behind.
    addresses: ['127.0.0.1'],
    ports: [{ name: 'http', number: port, protocol: 'http', tls: false }],
    zone: 'zone-a',
    version: '1.4.2',
    tags: ['blue', 'canary'],
    metadata: { pid: String(number), team: 'checkout' },
  }
}

/** How instances are tested: where they are said to listen, and by which checks (absent: the default one). */
interface Tested {
  readonly port: number
  readonly checks?: readonly []
}

/** Not at all: what is measured is the registry. */
const untested: Tested = { port: 18_080, checks: [] }

/** Somebody who accepts for all of them, so that they are well by the default check. */
export async function openAccepting() {
  const server = createServer(socket => socket.on('error', () => undefined).end())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { tested: { port: (server.address() as AddressInfo).port }, close: () => server.close() }
}

/** 64 sessions that share the work of registering, one registration in flight each. */
export async function openRegistrants(url: string, count = 64, tested = untested) {
  const sessions = await Promise.all(Array.from({ length: count }, () => openSession(url)))
  let given = 0
  return {
    /** Registers so many more instances, none of them twice; how many a second were acknowledged. */
    async register(instances: number): Promise<number> {
      const until = given + instances
      const start = performance.now()
      await Promise.all(
        sessions.map(async session => {
          while (given < until) {
            given += 1
            await session.register(instance(given, tested))
          }
        }),
      )
      return (instances * 1000) / (performance.now() - start)
    },
    close: () => {
      for (const session of sessions) session.close()
    },
  }
}
