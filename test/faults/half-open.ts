import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

/** A port that is open and where nobody is at home. */
export interface HalfOpen {
  readonly port: number
  close(): Promise<void>
}

/** Accepts every connection, reads what comes, and never answers. */
export async function acceptAndNeverAnswer(host = '127.0.0.1'): Promise<HalfOpen> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.resume()
  }).listen(0, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const deaf = fileURLToPath(new URL('./programs/deaf.mjs', import.meta.url))

/** Listens and never accepts, with its queue full: the kernel lets further connections' first packets go unanswered. */
export async function listenAndNeverAccept(): Promise<HalfOpen> {
  const child = spawn(process.execPath, [deaf], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const port = Number(String(line))
  const crowd: Socket[] = []
  // Its queue takes two; those that come after them hang.
  for (let i = 0; i < 4; i++) crowd.push(connect(port, '127.0.0.1').on('error', () => {}))
  return {
    port,
    async close() {
      for (const socket of crowd) socket.destroy()
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}
