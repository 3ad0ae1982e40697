import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Fault, formatHostPort, type HostPort } from '@portolan/core'
import type { Registry as Metrics } from 'prom-client'

export interface AdminOptions {
  readonly listen: HostPort
  readonly metrics: Metrics
  /** Whether requests can be routed: a registry has answered once. */
  readonly ready: () => boolean
}

export interface Admin {
  readonly address: string
  close(): Promise<void>
}

const text = { 'content-type': 'text/plain; charset=utf-8' }

/**
 * What a gateway shows of itself, beside its data path: `/metrics`, `/healthz` (it runs), `/readyz` (it can route).
 * @throws Fault `address_in_use`, `config_invalid`
 */
export async function openAdmin({ listen, metrics, ready }: AdminOptions): Promise<Admin> {
  const server = createServer(
    { maxHeaderSize: 16_384, requestTimeout: 10_000 },
    async (request, response) => {
      const path = request.url?.split('?')[0]
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { ...text, allow: 'GET, HEAD' }).end('only GET and HEAD\n')
      } else if (path === '/metrics') {
        const shown = await metrics.metrics().catch((error: Error) => error)
        if (shown instanceof Error) response.writeHead(500, text).end(`${shown.message}\n`)
        else response.writeHead(200, { 'content-type': metrics.contentType }).end(shown)
      } else if (path === '/healthz') response.writeHead(200, text).end('ok\n')
      else if (path === '/readyz') {
        const isReady = ready()
        response
          .writeHead(isReady ? 200 : 503, text)
          .end(isReady ? 'ready\n' : 'no registry has answered yet\n')
      } else response.writeHead(404, text).end('there are /metrics, /healthz and /readyz\n')
    },
  )
  server.maxConnections = 256
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenFault(error, listen)))
    server.listen(listen.port, listen.host, resolve)
  })
  const { address, port } = server.address() as AddressInfo
  return {
    address: formatHostPort(address, port),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listenFault(error: NodeJS.ErrnoException, { host, port }: HostPort): Fault {
  const where = formatHostPort(host, port)
  const code = error.code === 'EADDRINUSE' ? 'address_in_use' : 'config_invalid'
  return new Fault(code, `the gateway's admin address ${where}: ${error.message}`, {
    source: 'caller',
    cause: error,
    hint: 'choose another one for gateway.admin, or with --admin',
  })
}
