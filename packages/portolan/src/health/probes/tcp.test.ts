import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import type { Instance, Port } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { tcpProber } from './tcp.ts'

const servers: Server[] = []

async function listen(host: string): Promise<number> {
  const server = createServer(socket => socket.on('error', () => {}))
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const port = await listen('127.0.0.1')
  await new Promise(resolve => servers.pop()?.close(resolve))
  return port
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => new Promise(resolve => server.close(resolve))))
})

function instanceAt(addresses: readonly string[], ...numbers: number[]): Instance {
  const ports = numbers.map((number): Port => ({ name: `p${number}`, number, protocol: 'http', tls: false }))
  const name = { namespace: 'default', service: 'order', id: 'a' }
  const rest = { weight: 1, tags: [], metadata: {}, source: 'http', owner: 'o', incarnation: 1, causes: [] }
  return { ...name, addresses, ports, ...rest }
}

const never = new AbortController().signal

describe('the TCP probe', () => {
  it('tells an open port from a closed one', async () => {
    const prober = tcpProber()
    expect(await prober.probe(instanceAt(['127.0.0.1'], await listen('127.0.0.1')), never)).toBe('answered')
    expect(await prober.probe(instanceAt(['127.0.0.1'], await freePort()), never)).toBe('refused')
  })

  it('is content with one address of several, and refused only by all', async () => {
    const prober = tcpProber()
    const port = await listen('127.0.0.1')
    expect(await prober.probe(instanceAt(['127.0.0.2', '127.0.0.1'], port), never)).toBe('answered')
    const closed = await freePort()
    expect(await prober.probe(instanceAt(['127.0.0.2', '127.0.0.3'], closed), never)).toBe('refused')
  })

  it('reads IPv6 with a zone id', async () => {
    const port = await listen('::1')
    expect(await tcpProber().probe(instanceAt(['::1%lo'], port), never)).toBe('answered')
  })

  it('is silent after the time-out, as when a stopped process has a full backlog', async () => {
    const code = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      console.log(this.address().port)
    })`
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(child.stdout, 'data')
    const port = Number(String(line))
    child.kill('SIGSTOP')
    const prober = tcpProber({ timeoutMs: 200 })
    const crowd = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    try {
      // The kernel answers for a stopped process, until nobody has accepted for a while.
      await expect.poll(() => prober.probe(instanceAt(['127.0.0.1'], port), never)).toBe('silent')
    } finally {
      for (const socket of crowd) socket.destroy()
      child.kill('SIGKILL')
    }
  })

  it('is silent on abort, without a route, and where nothing speaks TCP', async () => {
    const prober = tcpProber()
    const port = await listen('127.0.0.1')
    expect(await prober.probe(instanceAt(['127.0.0.1'], port), AbortSignal.abort())).toBe('silent')
    expect(await prober.probe(instanceAt(['fe80::1%nowhere'], port), never)).toBe('silent')
    const ports: Port[] = [{ name: 'dns', number: port, protocol: 'udp', tls: false }]
    expect(await prober.probe({ ...instanceAt(['127.0.0.1']), ports }, never)).toBe('silent')
  })

  it('probes a thousand with few connections at a time', async () => {
    let open = 0
    let most = 0
    const server = createServer(socket => {
      most = Math.max(most, ++open)
      socket.on('error', () => {}).on('close', () => open--)
    })
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const instance = instanceAt(['127.0.0.1'], (server.address() as AddressInfo).port)
    const prober = tcpProber({ concurrency: 8, timeoutMs: 5000 })
    const results = await Promise.all(Array.from({ length: 1000 }, () => prober.probe(instance, never)))
    expect(new Set(results)).toEqual(new Set(['answered']))
    // The server sees a close a little later than the prober does.
    expect(most).toBeLessThan(100)
  })
})
