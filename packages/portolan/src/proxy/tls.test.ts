import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Instance } from '@portolan/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeCertificate } from '../health/probes/testing/certificate.ts'
import { fixture } from './testing/fixture.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()
let folder = ''
const file = (name: string) => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-gateway-tls-'))
  writeCertificate(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const large = 'x'.repeat(3_000_000)

/** An instance that speaks TLS alone. */
async function tlsInstance(more: Partial<Instance> = {}): Promise<Instance> {
  const [cert, key] = [readFileSync(file('cert.pem')), readFileSync(file('key.pem'))]
  const server = createServer({ cert, key }, (request, response) => {
    if (request.url === '/large') return void response.end(large)
    let size = 0
    request.on('data', chunk => {
      size += chunk.length
    })
    request.on('end', () => response.end(`<${size}>`))
  })
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => socket.write(chunk))
    socket.on('end', () => socket.end('over'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.add(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ports = [{ name: 'https', number: port, protocol: 'http', tls: true }] as const
  return instanceOf('order', 'order-1', port, { ports, ...more })
}

/** A gateway in a process that trusts our certificate; ends when its input does. */
async function trustingGateway(instance: Instance): Promise<number> {
  const program = `
    import { gatewayFor, Opened } from '${import.meta.resolve('./testing/harness.ts')}'
    const opened = new Opened()
    const { gateway, resolver } = await gatewayFor(opened, [])
    resolver.give('order', [${JSON.stringify(instance)}])
    console.log(gateway.port)
    process.stdin.resume().on('end', () => opened.close())`
  const args = ['--import', 'tsx', '--conditions=portolan-source', '--input-type=module', '-e', program]
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: file('cert.pem') },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  opened.add(async () => {
    child.stdin?.end()
    await once(child, 'exit')
  })
  if (child.stdout === null) throw new Error('no output')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return Number(line)
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

describe('an instance whose port speaks TLS', () => {
  it('is spoken to by TLS: requests and answers small and large, one after the other on kept connections', async () => {
    const client = clientOf(await trustingGateway(await tlsInstance({ host: 'order.test' })))
    for (let turn = 0; turn < 3; turn++) {
      client.received = ''
      await client.send(get).until('<0>')
      client.received = ''
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${large.length}\r\n\r\n${large}`)
      await client.until(`<${large.length}>`)
      client.received = ''
      client.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until(() => client.received.length > large.length && client.received.endsWith(large))
    }
    expect(client.closed).toBe(false)
  })

  it('has tunnels, too, with much in them, and an end that is told while the other side goes on', async () => {
    const client = clientOf(await trustingGateway(await tlsInstance({ host: 'order.test' })))
    await client
      .send(get.replace('\r\n\r\n', '\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'))
      .until('\r\n\r\n')
    client.received = ''
    client.send(large)
    await client.until(() => client.received.length === large.length)
    client.socket.end('last')
    expect((await client.untilEnd()).slice(large.length)).toBe('lastover')
  })

  it('is known by its address where it has no host', async () => {
    const client = clientOf(await trustingGateway(await tlsInstance()))
    await client.send(get).until('<0>')
  })

  it('is left alone when its certificate is for another name', async () => {
    const client = clientOf(await trustingGateway(await tlsInstance({ host: 'payment.test' })))
    await client.send(get).until('Portolan-Error: tls_failed')
  })

  it('is left alone when nobody vouches for it', async () => {
    const { gateway, resolver } = await gatewayFor([])
    resolver.give('order', [await tlsInstance()])
    const client = clientOf(gateway.port)
    expect(await client.send(get).until('}\n')).toMatch(
      /^HTTP\/1\.1 502 [\s\S]*Portolan-Error: tls_failed\r\n/,
    )
    expect(gateway.stats.problems.get('tls_failed')).toBe(1)
  })

  it('never gets a byte in the clear', async () => {
    const raw = await rawUpstream(socket => socket.destroy())
    const { gateway, resolver } = await gatewayFor([])
    const ports = [{ name: 'https', number: raw.port, protocol: 'http', tls: true }] as const
    resolver.give('order', [instanceOf('order', 'order-1', raw.port, { ports })])
    await clientOf(gateway.port).send(get).until('tls_failed')
    // 22 = a record of TLS's handshake.
    expect(raw.received().charCodeAt(0)).toBe(22)
    expect(raw.received()).not.toContain('HTTP')
  })
})
