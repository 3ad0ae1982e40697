import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from '@portolan/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Processes, root, until } from './processes.ts'

const processes = new Processes()
const ends: (() => unknown)[] = []
let folder = ''
const file = (name: string) => join(folder, name)

beforeEach(() => {
  folder = processes.directory()
  makeAuthority()
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await processes.endAll()
})

/** A private authority, `ca.pem`, and a certificate for 127.0.0.1 from it. */
function makeAuthority(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', '-days', '1', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=our own')
  openssl('req', ...ec, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=registry')
  writeFileSync(file('names'), 'subjectAltName=DNS:registry.test,IP:127.0.0.1\n')
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'request.pem', ...signed, '-out', 'cert.pem')
}

/** `portolan up` whose API speaks TLS. */
async function startTls(roles: string, ports: readonly [api: number, gateway: number, admin: number]) {
  const [api, gateway, admin] = ports
  const config = processes.file(
    'portolan.yaml',
    [
      `api: { listen: "127.0.0.1:${api}", tls: { cert: cert.pem, key: key.pem } }`,
      `gateway: { listen: "127.0.0.1:${gateway}", admin: "127.0.0.1:${admin}", routes: [{ match: { path: / }, service: order }] }`,
    ].join('\n'),
    folder,
  )
  await processes.up(['--config', config, '--roles', roles], { NODE_EXTRA_CA_CERTS: file('ca.pem') })
  return `https://127.0.0.1:${api}`
}

async function freePorts(): Promise<[number, number, number]> {
  return [await freePort(), await freePort(), await freePort()]
}

/** Registers a program that answers with its name, over TLS. */
async function startOrder(url: string): Promise<void> {
  const server = createServer((_, response) => response.end('order-1'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  const portolan = await connect(url, { tls: { ca: readFileSync(file('ca.pem'), 'utf8') } })
  ends.push(() => portolan.close({ graceMs: 200 }))
  await portolan.register({ service: 'order', id: 'order-1', port: (server.address() as AddressInfo).port })
  const response = await portolan.service('order').fetch('/')
  expect(await response.text()).toBe('order-1')
}

const ask = (port: number) => fetch(`http://127.0.0.1:${port}/`).then(answer => answer.text())

describe('a registry behind TLS, with a private authority', () => {
  it('is joined by clients that trust it, and says to the others why not', async () => {
    const url = await startTls('registry', await freePorts())
    await startOrder(url)
    await expect(connect(url, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'registry_unreachable',
      message: expect.stringMatching(/certificate/),
    })
  })

  it('is joined by `lb` and asked by the CLI, with NODE_EXTRA_CA_CERTS', async () => {
    const url = await startTls('registry', await freePorts())
    await startOrder(url)
    const [, gateway, admin] = await freePorts()
    const where = ['--listen', `127.0.0.1:${gateway}`, '--admin', `127.0.0.1:${admin}`]
    const trusting = { NODE_EXTRA_CA_CERTS: file('ca.pem') }
    const lb = processes.portolan(['lb', '--join', url, ...where], trusting)
    await until('the gateway', () => /^joined$/m.test(lb.output()))
    await until('the route', async () => (await ask(gateway)) === 'order-1')

    const services = processes.portolan(['services', '--url', url], trusting, root)
    await until('the list', () => /order/.test(services.output()))
    const stranger = processes.portolan(['services', '--url', url])
    await until('the complaint', () => /certificate/.test(stranger.output()))
    expect(stranger.output()).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('is joined by the gateway of `up`, which trusts what `up` trusts', async () => {
    const ports = await freePorts()
    await startOrder(await startTls('registry,gateway', ports))
    await until('the route', async () => (await ask(ports[1])) === 'order-1')
  })
})
