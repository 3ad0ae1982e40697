import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Instance, Port } from '@portolan/core'

/** An instance of the service `order` with one port, or the ports given. */
export function instanceAt(port: number | readonly Port[], more: Partial<Instance> = {}): Instance {
  const ports = typeof port === 'number' ? [portOf(port)] : port
  const name = { namespace: 'default', service: 'order', id: 'order-1' }
  const rest = { weight: 1, tags: [], metadata: {}, source: 'http', owner: 'o', incarnation: 1, causes: [] }
  return { ...name, addresses: ['127.0.0.1'], ports, ...rest, ...more }
}

export function portOf(number: number, more: Partial<Port> = {}): Port {
  return { name: 'main', number, protocol: 'http', tls: false, ...more }
}

/** A server of this test, and the connections that it has at the moment. */
export interface Listening {
  readonly port: number
  readonly open: ReadonlySet<Socket>
  /** How many connections there have been. */
  readonly accepted: () => number
  close(): Promise<void>
}

interface Listen {
  readonly host?: string | undefined
  readonly port?: number
  readonly allowHalfOpen?: boolean
  readonly server?: Server
}

/** Listens and lets `serve` do as it likes with each connection. */
export async function listen(
  serve: (socket: Socket) => void,
  {
    host = '127.0.0.1',
    port: wanted = 0,
    allowHalfOpen = false,
    server = createServer({ allowHalfOpen }),
  }: Listen = {},
): Promise<Listening> {
  const open = new Set<Socket>()
  let accepted = 0
  server.on('connection', (socket: Socket) => {
    accepted++
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    serve(socket)
  })
  server.listen(wanted, host, 4096)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    open,
    accepted: () => accepted,
    close() {
      for (const socket of open) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = await listen(() => {})
  await server.close()
  return server.port
}

/** A port of 127.0.0.1 whose program hangs: its kernel takes a few connections in its stead, and no more after that. */
export async function listenDeaf(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const code = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    require('fs').writeSync(1, String(this.address().port))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = await once(child.stdout, 'data')
  const port = Number(String(text))
  const crowd: Socket[] = []
  const end = async (): Promise<void> => {
    for (const socket of crowd) socket.destroy()
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for (let taken = true; taken; ) {
    if (crowd.length > 32) {
      await end()
      throw new Error('the queue of a program that accepts nobody never fills')
    }
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    crowd.push(socket)
    taken = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>(resolve => setTimeout(resolve, 300, false)),
    ])
  }
  return { port, close: end }
}
