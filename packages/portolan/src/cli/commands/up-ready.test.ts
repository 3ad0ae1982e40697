import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Server } from '../../server.ts'
import type { CopyState } from '../../workloads/supervised.ts'
import { whenReady } from './up-ready.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const gateway: CopyState = {
  workload: 'system:gateway',
  id: 'gateway',
  phase: 'running',
  starts: 1,
  failures: 0,
  log: '',
}
const broken: CopyState = { ...gateway, workload: 'shop', id: 'shop-1', phase: 'backoff', failures: 9 }

/** A server whose gateway says that it is ready when it is asked for the `after`th time. */
async function serverOf(states: readonly CopyState[], after: number) {
  let asked = 0
  const admin = createServer((_, response) => response.writeHead(++asked < after ? 503 : 200).end())
  await new Promise<void>(resolve => admin.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    admin.closeAllConnections()
    admin.close()
  })
  const { port } = admin.address() as AddressInfo
  const server = {
    gateway: [{ host: '127.0.0.1', port: 1 }],
    admin: { host: '127.0.0.1', port },
    dns: [],
    workloads: { states: () => states },
  } as unknown as Server
  return { server, asked: () => asked }
}

describe('whenReady', () => {
  it('waits for the routes of the gateway', async () => {
    const { server, asked } = await serverOf([gateway], 4)
    expect(await whenReady(server, new AbortController().signal)).toEqual([])
    expect(asked()).toBe(4)
  })

  it('waits for them, too, when a program will not come', async () => {
    const { server, asked } = await serverOf([gateway, broken], 4)
    expect(await whenReady(server, new AbortController().signal)).toEqual([expect.stringContaining('shop-1')])
    expect(asked()).toBe(4)
  })

  it('waits for no gateway that keeps failing', async () => {
    const dead = { ...gateway, phase: 'backoff', failures: 3 } as const
    const { server, asked } = await serverOf([dead, broken], 4)
    const late = await whenReady(server, new AbortController().signal)
    expect(late).toHaveLength(2)
    expect(asked()).toBe(1)
  })

  it('says of a gateway that runs without routes what that means', async () => {
    const { server } = await serverOf([gateway], 4)
    const [line] = await whenReady(server, AbortSignal.abort())
    expect(line).toContain('503 not_ready')
  })
})
