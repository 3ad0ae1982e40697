import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { framed } from './tcp/frames.ts'
import { openTcp } from './tcp.ts'
import { tcpFixture } from './testing/tcp-fixture.ts'
import { numbered, numberOf, tcpPeer } from './testing/tcp-peer.ts'

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000, interval: 5 })

describe('DNS over TCP', () => {
  it('answers on IPv4 and IPv6, and knows who asks', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const asked: unknown[] = []
      await using server = await tcpFixture({
        listen: { host, port: 0 },
        handle: (message, client) => {
          asked.push(client)
          return message
        },
      })
      expect(server.address).toBe(host)
      using peer = await tcpPeer(server.port, host)
      peer.ask(numbered(7))
      await until(() => expect(peer.answers).toEqual([numbered(7)]))
      expect(asked).toEqual([{ address: host, port: peer.socket.localPort }])
    }
  })

  it('answers what comes byte by byte', async () => {
    await using server = await tcpFixture()
    using peer = await tcpPeer(server.port)
    for (const byte of Buffer.concat([framed(numbered(1, 40)), framed(numbered(2, 14))])) {
      peer.socket.write(Buffer.of(byte))
      await turn()
    }
    await until(() => expect(peer.answers.map(numberOf)).toEqual([1, 2]))
  })

  it('answers the longest message there is', async () => {
    await using server = await tcpFixture()
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1, 65_535), numbered(2))
    await until(() => expect(peer.answers.map(({ length }) => length)).toEqual([65_535, 12]))
  })

  it('answers as answers come, in any order', async () => {
    const waiting: (() => void)[] = []
    await using server = await tcpFixture({
      handle: message =>
        numberOf(message) === 2
          ? message
          : new Promise(resolve => {
              waiting.push(() => resolve(message))
            }),
    })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1), numbered(2), numbered(3))
    await until(() => expect(peer.answers.map(numberOf)).toEqual([2]))
    waiting[1]?.()
    await until(() => expect(peer.answers.map(numberOf)).toEqual([2, 3]))
    waiting[0]?.()
    await until(() => expect(peer.answers.map(numberOf)).toEqual([2, 3, 1]))
  })

  it('goes on after a message that is not answered', async () => {
    await using server = await tcpFixture({
      handle: message => (numberOf(message) === 1 ? undefined : message),
    })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1), numbered(2))
    await until(() => expect(peer.answers.map(numberOf)).toEqual([2]))
  })

  it('answers whoever has ended his side, then ends, too', async () => {
    const late: (() => void)[] = []
    await using server = await tcpFixture({
      handle: message =>
        new Promise(resolve => {
          late.push(() => resolve(message))
        }),
    })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1), numbered(2))
    // And a message that will never be whole.
    peer.socket.end(Buffer.of(0, 40, 1))
    await until(() => expect(late).toHaveLength(2))
    for (const answer of late) answer()
    await until(() => expect(peer.isClosed).toBe(true))
    expect(peer.answers.map(numberOf)).toEqual([1, 2])
    expect(peer.error).toBeUndefined()
    await until(() => expect(server.counts.open).toBe(0))
  })

  it.each([0, 1, 11])(
    'ends a connection that sends a message of %i bytes, after what came before',
    async length => {
      const asked: number[] = []
      await using server = await tcpFixture({
        handle: async message => {
          asked.push(numberOf(message))
          await turn()
          return message
        },
      })
      using peer = await tcpPeer(server.port)
      peer.ask(numbered(1), Buffer.alloc(length), numbered(2))
      await until(() => expect(peer.isClosed).toBe(true))
      expect(peer.answers.map(numberOf)).toEqual([1])
      expect(asked).toEqual([1])
      expect(server.counts.ended.malformed).toBe(1)
    },
  )

  it('ends a connection whose query fails, and says so now and then', async () => {
    await using server = await tcpFixture({
      handle: message => {
        if (numberOf(message) === 1) throw new Error('at once')
        if (numberOf(message) === 2) return Promise.reject(new Error('later'))
        return Buffer.alloc(65_536)
      },
    })
    for (const id of [1, 2, 3]) {
      using peer = await tcpPeer(server.port)
      peer.ask(numbered(id))
      await until(() => expect(peer.isClosed).toBe(true))
    }
    expect(server.counts.ended.failed).toBe(3)
    expect(server.logged).toHaveLength(1)
    server.pass(10_000)
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1))
    await until(() => expect(server.logged).toHaveLength(2))
  })

  it('survives resets at any moment', async () => {
    const late: (() => void)[] = []
    await using server = await tcpFixture({
      handle: message =>
        numberOf(message) % 2 === 0
          ? message
          : new Promise(resolve => {
              late.push(() => resolve(message))
            }),
    })
    const begun = framed(numbered(2, 100)).subarray(0, 50)
    const ways = [[], [begun], [framed(numbered(2))], [framed(numbered(3))], [framed(numbered(3)), begun]]
    for (let round = 0; round < 20; round++) {
      for (const way of ways) {
        const peer = await tcpPeer(server.port)
        for (const bytes of way) peer.socket.write(bytes)
        if (round % 2 === 0) await turn()
        peer.socket.resetAndDestroy()
      }
    }
    // What the kernel tells of a reset behind unread data is an end like any other: only an answer finds out.
    await until(() => {
      for (const answer of late.splice(0)) answer()
      expect(server.counts.open).toBe(0)
    })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(2))
    await until(() => expect(peer.answers).toHaveLength(1))
    expect(server.counts.opened).toBe(101)
    expect(server.logged).toEqual([])
  })
})

describe('closing', () => {
  it('answers what is under way, and ends all connections', async () => {
    const late: (() => void)[] = []
    const server = await tcpFixture({
      handle: message =>
        new Promise(resolve => {
          late.push(() => resolve(message))
        }),
    })
    const [idle, half, asking] = await Promise.all([1, 2, 3].map(() => tcpPeer(server.port)))
    half?.socket.write(Buffer.of(0))
    asking?.ask(numbered(1))
    await until(() => expect(late).toHaveLength(1))
    const closed = server.close()
    await until(() => expect([idle?.isClosed, half?.isClosed]).toEqual([true, true]))
    asking?.ask(numbered(2))
    late[0]?.()
    await closed
    await until(() => expect(asking?.isClosed).toBe(true))
    expect(asking?.answers.map(numberOf)).toEqual([1])
    expect(late).toHaveLength(1)
    expect(server.counts.open).toBe(0)
    await expect(tcpPeer(server.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.close()
  })

  it('does not wait for ever', async () => {
    const server = await tcpFixture({ handle: () => new Promise(() => {}), limits: { closeMs: 20 } })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1))
    await until(() => expect(server.counts.open).toBe(1))
    await server.close()
    await until(() => expect(peer.isClosed).toBe(true))
  })
})

describe('listening', () => {
  it('tells that the address is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(tcpFixture({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'address_in_use',
      message: `127.0.0.1:${port} is taken (TCP)`,
    })
    other.close()
  })

  it('tells that there is no such address', async () => {
    await expect(tcpFixture({ listen: { host: '192.0.2.1', port: 0 } })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('192.0.2.1:0'),
    })
  })

  it('leaves IPv4 its port', async () => {
    await using v6 = await tcpFixture({ listen: { host: '::', port: 0 } })
    await using v4 = await tcpFixture({ listen: { host: '0.0.0.0', port: v6.port } })
    expect(v4.port).toBe(v6.port)
  })

  it('needs nothing but an address and somebody who answers', async () => {
    const log = { warn: () => {}, error: () => {} }
    const server = await openTcp({ listen: { host: '127.0.0.1', port: 0 }, handle: message => message, log })
    using peer = await tcpPeer(server.port)
    peer.ask(numbered(1))
    await until(() => expect(peer.answers).toHaveLength(1))
    await server.close()
  })
})
