import { createServer } from 'node:net'
import { seededRandom } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { portOpen } from './port-open.ts'
import { openPortPool } from './ports.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const listen = (host: string, port = 0): Promise<number> =>
  new Promise(resolve => {
    const server = createServer(socket => socket.destroy())
    closing.push(() => server.close())
    server.listen(port, host, () => resolve((server.address() as { port: number }).port))
  })

describe('the pool of ports', () => {
  it('never gives the same port twice, even to those that ask at once, until it is released', async () => {
    const pool = openPortPool(seededRandom(7), [24_000, 24_049])
    const ports = await Promise.all(Array.from({ length: 20 }, () => pool.take()))
    expect(new Set(ports).size).toBe(20)
    const [port = 0] = ports
    await expect(pool.take({ port, must: true })).rejects.toMatchObject({ code: 'address_in_use' })
    pool.release(port)
    expect(await pool.take({ port, must: true })).toBe(port)
  })

  it('passes over ports that somebody listens on, at whatever address', async () => {
    const pool = openPortPool(seededRandom(7))
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const port = await listen(host)
      expect(await pool.take({ port, must: false })).not.toBe(port)
      await expect(pool.take({ port, must: true })).rejects.toThrow(`port ${port} is in use`)
    }
  })

  it('says so when it has none left', async () => {
    const pool = openPortPool(seededRandom(7), [24_100, 24_101])
    pool.hold(24_100)
    pool.hold(24_101)
    await expect(pool.take()).rejects.toMatchObject({ code: 'address_in_use', retryable: true })
  })
})

describe('the look whether a port is open', () => {
  it('finds IPv4 and IPv6 loopback, waits for it, and gives up when told to', async () => {
    const never = new AbortController()
    expect(await portOpen(await listen('127.0.0.1'), never.signal)).toBe('127.0.0.1')
    expect(await portOpen(await listen('::1'), never.signal)).toBe('::1')

    const port = await openPortPool(seededRandom(9)).take()
    const late = portOpen(port, never.signal)
    await listen('127.0.0.1', port)
    expect(await late).toBe('127.0.0.1')

    const unopened = portOpen(await openPortPool(seededRandom(11)).take(), never.signal)
    never.abort()
    expect(await unopened).toBeUndefined()
  })
})
