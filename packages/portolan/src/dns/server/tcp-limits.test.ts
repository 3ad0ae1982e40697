import { setImmediate as turn } from 'node:timers/promises'
import { Registry } from 'prom-client'
import { describe, expect, it, vi } from 'vitest'
import { framed } from './tcp/frames.ts'
import { exportTcpMetrics } from './tcp/metrics.ts'
import { tcpFixture } from './testing/tcp-fixture.ts'
import { numbered, numberOf, type TcpPeer, tcpPeer } from './testing/tcp-peer.ts'

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 5 })

const answered = (peer: TcpPeer, ...ids: number[]): Promise<void> =>
  until(() => expect(peer.answers.map(numberOf)).toEqual(ids))

/** Answers when it is told to. */
function later() {
  const waiting: (() => void)[] = []
  return {
    waiting,
    handle: (message: Buffer): Promise<Buffer> =>
      new Promise(resolve => {
        waiting.push(() => resolve(message))
      }),
  }
}

describe('the time of a connection', () => {
  it('is over after ten idle seconds, and begins anew with every query', async () => {
    await using server = await tcpFixture()
    using silent = await tcpPeer(server.port)
    using asking = await tcpPeer(server.port)
    asking.ask(numbered(1))
    await answered(asking, 1)
    server.pass(9000)
    asking.ask(numbered(2))
    await answered(asking, 1, 2)
    server.pass(1000)
    expect(server.counts.ended.idle).toBe(0)
    server.pass(250)
    await until(() => expect(silent.isClosed).toBe(true))
    expect(silent.error).toBeUndefined()
    server.pass(8750)
    expect(server.counts.ended.idle).toBe(1)
    server.pass(250)
    await until(() => expect(asking.isClosed).toBe(true))
    expect(server.counts.ended.idle).toBe(2)
  })

  it('is over after two, while more than three quarters of all are open', async () => {
    await using server = await tcpFixture({ limits: { connections: 4 } })
    const peers = await Promise.all([1, 2, 3].map(() => tcpPeer(server.port)))
    await until(() => expect(server.counts.open).toBe(3))
    server.pass(3000)
    expect(server.counts.ended.idle).toBe(0)
    peers.push(await tcpPeer(server.port))
    await until(() => expect(server.counts.open).toBe(4))
    server.pass(250)
    await until(() => expect(server.counts.open).toBe(1))
    server.pass(3000)
    expect(server.counts.ended.idle).toBe(3)
    for (const peer of peers) peer.socket.destroy()
  })

  it('is three seconds for a message that has begun, however it drips', async () => {
    await using server = await tcpFixture()
    using slow = await tcpPeer(server.port)
    const bytes = framed(numbered(2, 100))
    slow.socket.write(Buffer.concat([framed(numbered(1)), bytes.subarray(0, 2)]))
    await answered(slow, 1)
    for (let at = 2; at < 14; at++) {
      slow.socket.write(bytes.subarray(at, at + 1))
      await turn()
      server.pass(250)
      expect(server.counts.ended.slow).toBe(0)
    }
    server.pass(500)
    await until(() => expect(slow.isClosed).toBe(true))
    expect(server.counts.ended).toMatchObject({ slow: 1, idle: 0 })
  })

  it('begins for each message by itself', async () => {
    await using server = await tcpFixture()
    using peer = await tcpPeer(server.port)
    for (let id = 1; id <= 5; id++) {
      const bytes = framed(numbered(id))
      peer.socket.write(id === 1 ? bytes.subarray(0, 5) : Buffer.alloc(0))
      await until(() => expect(server.counts.open).toBe(1))
      server.pass(2000)
      // The rest of this one, and the beginning of the next.
      peer.socket.write(Buffer.concat([bytes.subarray(5), framed(numbered(id + 1)).subarray(0, 5)]))
      await answered(peer, ...Array.from({ length: id }, (_, index) => index + 1))
    }
    expect(server.counts.ended.slow).toBe(0)
  })

  it('does not run while an answer is under way', async () => {
    const { handle, waiting } = later()
    await using server = await tcpFixture({ handle })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1))
    await until(() => expect(waiting).toHaveLength(1))
    server.pass(60_000)
    waiting[0]?.()
    await answered(peer, 1)
    server.pass(10_000)
    expect(server.counts.ended.idle).toBe(0)
  })
})

describe('what one connection may have', () => {
  it('is so many queries under way: then it is not read from', async () => {
    const { handle, waiting } = later()
    await using server = await tcpFixture({ handle, limits: { queries: 8 } })
    using peer = await tcpPeer(server.port)
    const count = 1000
    peer.ask(...Array.from({ length: count }, (_, id) => numbered(id, 200)))
    let done = 0
    while (done < count) {
      await until(() => expect(waiting.length).toBe(Math.min(8, count - done)))
      for (const answer of waiting.splice(0)) {
        answer()
        done++
      }
    }
    await until(() => expect(peer.answers).toHaveLength(count))
    expect(peer.answers.map(numberOf)).toEqual(Array.from({ length: count }, (_, id) => id))
  })

  it('is a turn of so many queries that are answered at once: others have theirs between', async () => {
    const order: string[] = []
    await using server = await tcpFixture({
      limits: { queries: 4 },
      handle: (message, client) => {
        order.push(client.address)
        return message
      },
    })
    using greedy = await tcpPeer(server.port)
    using modest = await tcpPeer(server.port, '127.0.0.1', '127.0.0.2')
    greedy.ask(...Array.from({ length: 2000 }, (_, id) => numbered(id)))
    modest.ask(numbered(1))
    await until(() => expect(greedy.answers).toHaveLength(2000))
    await answered(modest, 1)
    expect(order.indexOf('127.0.0.2')).toBeLessThan(order.length - 1)
  })

  it.each([
    ['of several milliseconds', 5, 12, 1],
    ['that are quick', 0.25, 12, 4],
    ['whose answers are large', 0.25, 60_000, 4],
  ])('is a turn of about a millisecond of queries %s', async (_, ms, size, most) => {
    const count = 48
    const turns: number[] = []
    let now = 0
    let isOver = true
    await using server = await tcpFixture({
      clock: { now: () => now },
      handle: message => {
        if (isOver) {
          turns.push(0)
          isOver = false
          setImmediate(() => {
            isOver = true
          })
        }
        turns.push((turns.pop() ?? 0) + 1)
        now += ms
        return Buffer.concat([message, Buffer.alloc(size - message.length)])
      },
    })
    using peer = await tcpPeer(server.port)
    peer.ask(...Array.from({ length: count }, (_, id) => numbered(id)))
    await until(() => expect(peer.answers).toHaveLength(count))
    expect(Math.max(...turns)).toBeLessThanOrEqual(most)
    expect(turns.length).toBeGreaterThanOrEqual(count / most)
  })

  it('is so much that it has not read: no more queries are taken until it reads', async () => {
    let asked = 0
    await using server = await tcpFixture({
      handle: message => {
        asked++
        return Buffer.concat([message, Buffer.alloc(60_000)])
      },
    })
    using peer = await tcpPeer(server.port)
    peer.socket.pause()
    const count = 1000
    peer.ask(...Array.from({ length: count }, (_, id) => numbered(id)))
    let before = -1
    // The kernels take some megabytes in between.
    await until(() => {
      const isStill = asked === before && asked > 0
      before = asked
      expect(isStill).toBe(true)
    })
    expect(asked).toBeLessThan(count)
    server.pass(4000)
    peer.socket.resume()
    await until(() => expect(peer.answers).toHaveLength(count))
    expect(server.counts.ended.unread).toBe(0)
  })

  it('is five seconds to take what was written', async () => {
    await using server = await tcpFixture({
      handle: message => Buffer.concat([message, Buffer.alloc(60_000)]),
    })
    using peer = await tcpPeer(server.port)
    peer.socket.pause()
    peer.ask(...Array.from({ length: 1000 }, (_, id) => numbered(id)))
    await until(() => {
      server.pass(250)
      expect(server.counts.ended.unread).toBe(1)
    })
    peer.socket.resume()
    await until(() => expect(peer.isClosed).toBe(true))
    expect(peer.answers.length).toBeLessThan(1000)
    await until(() => expect(server.counts.open).toBe(0))
  })

  it('is so much unsent, where answers come late and all at once', async () => {
    const { handle, waiting } = later()
    await using server = await tcpFixture({
      handle: async message => Buffer.concat([await handle(message), Buffer.alloc(60_000)]),
      limits: { unsent: 200_000, queries: 200 },
    })
    using peer = await tcpPeer(server.port)
    peer.socket.pause()
    peer.ask(...Array.from({ length: 200 }, (_, id) => numbered(id)))
    await until(() => expect(waiting).toHaveLength(200))
    for (const answer of waiting) answer()
    await until(() => expect(server.counts.ended.unread).toBe(1))
    await until(() => expect(server.counts.open).toBe(0))
  })
})

describe('what all connections may have', () => {
  it('is so much memory: whoever adds to it goes, those with little stay', async () => {
    await using server = await tcpFixture({ limits: { memory: 100_000 } })
    const peers = await Promise.all([1, 2, 3, 4, 5].map(() => tcpPeer(server.port)))
    const [little, ...much] = peers as [TcpPeer, ...TcpPeer[]]
    little.socket.write(framed(numbered(1, 3000)).subarray(0, 2000))
    for (const peer of much) {
      peer.socket.write(framed(numbered(1, 50_000)).subarray(0, 40_000))
    }
    await until(() => expect(server.counts.ended.memory).toBeGreaterThanOrEqual(1))
    little.socket.write(framed(numbered(1, 3000)).subarray(2000))
    await answered(little, 1)
    expect(much.some(peer => !peer.isClosed)).toBe(true)
    for (const peer of peers) peer.socket.destroy()
    await until(() => expect(server.counts.open).toBe(0))
    expect(server.counts.held).toBe(0)
    using next = await tcpPeer(server.port)
    next.ask(numbered(2, 60_000))
    await answered(next, 2)
  })

  it('is so many of one client: its longest idle one gives way', async () => {
    await using server = await tcpFixture({ limits: { connectionsPerClient: 2 } })
    using first = await tcpPeer(server.port)
    using second = await tcpPeer(server.port)
    using other = await tcpPeer(server.port, '127.0.0.1', '127.0.0.2')
    await until(() => expect(server.counts.open).toBe(3))
    second.ask(numbered(0))
    await answered(second, 0)
    server.pass(1250)
    first.ask(numbered(1))
    await answered(first, 1)
    using third = await tcpPeer(server.port)
    await until(() => expect(second.isClosed).toBe(true))
    for (const peer of [first, third, other]) peer.ask(numbered(2))
    await answered(first, 1, 2)
    await answered(third, 2)
    await answered(other, 2)
    expect(server.counts.ended['gave-way']).toBe(1)
  })

  it('refuses the newest of a client whose others are all busy', async () => {
    const { handle, waiting } = later()
    await using server = await tcpFixture({ handle, limits: { connectionsPerClient: 2 } })
    using first = await tcpPeer(server.port)
    using second = await tcpPeer(server.port)
    first.ask(numbered(1))
    second.ask(numbered(2))
    await until(() => expect(waiting).toHaveLength(2))
    using third = await tcpPeer(server.port)
    await until(() => expect(third.isClosed).toBe(true))
    expect(server.counts.refused.busy).toBe(1)
    for (const answer of waiting) answer()
    await answered(first, 1)
    await answered(second, 2)
  })

  it('refuses the newest of a client whose others have all asked just now', async () => {
    await using server = await tcpFixture({ limits: { connectionsPerClient: 2 } })
    const peers = await Promise.all([1, 2].map(() => tcpPeer(server.port)))
    for (const peer of peers) {
      peer.ask(numbered(1))
      await answered(peer, 1)
    }
    using third = await tcpPeer(server.port)
    await until(() => expect(third.isClosed).toBe(true))
    expect(server.counts.refused.busy).toBe(1)
    for (const peer of peers) {
      peer.ask(numbered(2))
      await answered(peer, 1, 2)
      peer.socket.destroy()
    }
  })

  it('keeps answering one client while another opens thousands and says nothing', async () => {
    await using server = await tcpFixture()
    using steady = await tcpPeer(server.port)
    let id = 0
    const ask = async (): Promise<void> => {
      steady.ask(numbered(++id))
      await until(() => expect(steady.answers).toHaveLength(id))
      using fresh = await tcpPeer(server.port)
      fresh.ask(numbered(1))
      await answered(fresh, 1)
    }
    const silent: TcpPeer[] = []
    for (let round = 0; round < 40; round++) {
      // 40 addresses with 75 connections each: more than one may have, and more than there are.
      const some = Array.from({ length: 75 }, () => tcpPeer(server.port, '127.0.0.1', `127.0.1.${round}`))
      silent.push(...(await Promise.all(some)))
      await ask()
    }
    expect(server.counts.open).toBeLessThanOrEqual(1025)
    expect(server.counts.ended['gave-way']).toBeGreaterThanOrEqual(3000 - 1024)
    expect(server.counts.refused.busy).toBe(0)
    expect(steady.isClosed).toBe(false)
    for (const peer of silent) peer.socket.destroy()
  })

  it('shows what became of connections', async () => {
    await using server = await tcpFixture({ limits: { connectionsPerClient: 1 } })
    const registry = new Registry()
    exportTcpMetrics(server.counts, registry)
    using first = await tcpPeer(server.port)
    using second = await tcpPeer(server.port)
    await until(() => expect(first.isClosed).toBe(true))
    second.ask(numbered(1))
    await answered(second, 1)
    const text = await registry.metrics()
    expect(text).toContain('portolan_dns_tcp_connections 1')
    expect(text).toContain('portolan_dns_tcp_connections_total 2')
    expect(text).toContain('portolan_dns_tcp_ended_total{reason="gave-way"} 1')
    expect(text).toContain('portolan_dns_tcp_ended_total{reason="slow"} 0')
    expect(text).toContain('portolan_dns_tcp_refused_total{reason="accept"} 0')
    expect(await registry.metrics()).toBe(text)
  })
})
