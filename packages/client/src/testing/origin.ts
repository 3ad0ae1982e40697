import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** An HTTP server that stands for one instance. */
export interface Origin {
  readonly port: number
  readonly server: Server
  /** Requests that came. */
  readonly requests: { method: string; url: string; body: string }[]
  /** Connections that are open. */
  connections(): number
  /** Cuts every connection and stops listening. */
  kill(): Promise<void>
}

/** Starts one on a free port of 127.0.0.1; by default it answers with its port and what it was asked. */
export async function startOrigin(listener?: RequestListener): Promise<Origin> {
  const requests: Origin['requests'] = []
  const server = createServer((request, response) => {
    if (listener !== undefined) return listener(request, response)
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const asked = {
        method: request.method ?? '',
        url: request.url ?? '',
        body: Buffer.concat(chunks).toString(),
      }
      requests.push(asked)
      response.setHeader('content-type', 'application/json')
      const type = request.headers['content-type']
      response.end(JSON.stringify({ ...asked, type, port: (server.address() as AddressInfo | null)?.port }))
    })
  })
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    requests,
    connections: () => sockets.size,
    async kill() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
