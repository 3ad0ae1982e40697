import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Instance } from '@portolan/core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { FixedResolver } from '../testing/fixed-resolver.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { instanceOf } from '../testing/scripted-registry.ts'
import { openService, type ServiceOptions } from './service.ts'

let folder = ''
const file = (name: string) => join(folder, name)
const pem = (name: string) => readFileSync(file(name), 'utf8')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-client-tls-'))
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    file('key.pem'),
  ]
  const names = ['-subj', '/CN=order', '-addext', 'subjectAltName=DNS:order.test,IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...key, '-out', file('cert.pem'), ...names], {
    stdio: 'ignore',
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** An instance that speaks TLS alone. */
async function tlsInstance(more: Partial<Instance> = {}) {
  const server = createServer({ cert: pem('cert.pem'), key: pem('key.pem') }, (request, response) => {
    const { servername } = request.socket as Socket & { servername: string | false }
    response.end(JSON.stringify({ servername, host: request.headers.host }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ports = [{ name: 'https', number: port, protocol: 'http', tls: true }] as const
  return { instance: instanceOf('order', 'order-1', port, { ports, ...more }), port }
}

function serviceOf(instance: Instance, options: ServiceOptions = {}) {
  const resolver = new FixedResolver()
  resolver.set([instance])
  const order = openService(resolver, { namespace: 'default', service: 'order' }, options, localRuntime())
  ends.push(() => order.close(200))
  return order
}

describe('an instance whose port speaks TLS', () => {
  test('is called by TLS when its certificate is trusted, by its address', async () => {
    const { instance, port } = await tlsInstance()
    const response = await serviceOf(instance, { tls: { ca: pem('cert.pem') } }).fetch('/')
    expect(await response.json()).toEqual({ servername: false, host: `127.0.0.1:${port}` })
  })

  test('by its host, where it has one', async () => {
    const { instance } = await tlsInstance({ host: 'order.test' })
    const response = await serviceOf(instance, { tls: { ca: pem('cert.pem') } }).fetch('/')
    expect(await response.json()).toMatchObject({ servername: 'order.test' })
  })

  test('is not called with a certificate that nobody vouches for, nor with one of another name', async () => {
    const unknown = await tlsInstance()
    await expect(serviceOf(unknown.instance).fetch('/')).rejects.toMatchObject({
      code: 'request_failed',
      source: 'upstream',
      message: expect.not.stringContaining('may have been done'),
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    const other = await tlsInstance({ host: 'payment.test' })
    const called = serviceOf(other.instance, { tls: { ca: pem('cert.pem') } }).fetch('/', { method: 'POST' })
    await expect(called).rejects.toMatchObject({ cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
  })

  test('never gets a byte in the clear', async () => {
    const first: number[] = []
    const server = createTcpServer(socket => {
      socket.on('error', () => {})
      socket.once('data', chunk => {
        first.push(chunk[0] ?? -1)
        socket.destroy()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ends.push(() => server.close())
    const { port } = server.address() as AddressInfo
    const ports = [{ name: 'https', number: port, protocol: 'http', tls: true }] as const
    const order = serviceOf(instanceOf('order', 'order-1', port, { ports }))
    await expect(order.fetch('/')).rejects.toMatchObject({ code: 'request_failed' })
    // Tried twice, and each time a record of TLS's handshake came.
    expect(first).toEqual([22, 22])
  })

  test('can be trusted by the whole process: NODE_EXTRA_CA_CERTS', async () => {
    const { instance } = await tlsInstance()
    const program = `
      import { FixedResolver } from '${import.meta.resolve('../testing/fixed-resolver.ts')}'
      import { localRuntime } from '${import.meta.resolve('../testing/local-runtime.ts')}'
      import { openService } from '${import.meta.resolve('./service.ts')}'
      const resolver = new FixedResolver()
      resolver.set([${JSON.stringify(instance)}])
      const order = openService(resolver, { namespace: 'default', service: 'order' }, {}, localRuntime())
      console.log((await order.fetch('/')).status)
      await order.close(200)`
    const args = ['--import', 'tsx', '--conditions=portolan-source', '--input-type=module', '-e', program]
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: file('cert.pem') }
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    expect(stdout).toBe('200\n')
  })
})
