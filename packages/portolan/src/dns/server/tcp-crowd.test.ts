import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '@portolan/core'
import { expect, it, vi } from 'vitest'
import { framed } from './tcp/frames.ts'
import { tcpFixture } from './testing/tcp-fixture.ts'
import { numbered, numberOf, tcpPeer } from './testing/tcp-peer.ts'

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 10 })

const whole = (dice: Random, most: number): number => Math.floor(dice() * most)

/** Sends it in pieces, with waiting in between now and then. */
async function drip(send: (bytes: Buffer) => void, stream: Buffer, dice: Random): Promise<void> {
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + whole(dice, dice() < 0.2 ? 5 : 20_000)
    send(stream.subarray(at, end))
    at = end
    if (dice() < 0.3) await sleep(whole(dice, 4))
  }
}

/** One client with some queries; half of them leave as they should, with every answer. */
async function visit(port: number, dice: Random): Promise<void> {
  const peer = await tcpPeer(port, '127.0.0.1', `127.0.2.${1 + whole(dice, 250)}`)
  const count = 1 + whole(dice, 150)
  const queries = Array.from({ length: count }, (_, id) => numbered(id, 12 + whole(dice, 500)))
  const stream = Buffer.concat(queries.map(framed))
  const send = (bytes: Buffer): void => {
    if (peer.socket.writable) peer.socket.write(bytes)
  }
  const fate = dice()
  if (fate < 0.5) {
    if (dice() < 0.3) peer.socket.pause()
    await drip(send, stream, dice)
    peer.socket.resume()
    if (dice() < 0.5) peer.socket.end()
    await until(() => expect(peer.answers).toHaveLength(count))
    const ids = peer.answers.map(numberOf).sort((a, b) => a - b)
    expect(ids).toEqual(queries.map(numberOf))
    peer.socket.destroy()
  } else if (fate < 0.6) {
    send(Buffer.concat([stream, framed(Buffer.alloc(whole(dice, 12)))]))
    await until(() => expect(peer.isClosed).toBe(true))
    expect(peer.answers).toHaveLength(count)
  } else {
    await drip(send, stream.subarray(0, whole(dice, stream.length)), dice)
    if (fate < 0.8) peer.socket.resetAndDestroy()
    else peer.socket.destroy()
  }
}

it('leaves nothing behind, whoever comes, goes, drips, resets and asks for much', async () => {
  const dice = seededRandom(5)
  const handle = (message: Buffer): Buffer | Promise<Buffer> => {
    const answer = dice() < 0.1 ? Buffer.concat([message, Buffer.alloc(20_000)]) : message
    return dice() < 0.6 ? answer : sleep(whole(dice, 10), answer)
  }
  await using server = await tcpFixture({ handle, limits: { queries: 16 } })
  const visitors = Array.from({ length: 8 }, async () => {
    for (let visits = 0; visits < 25; visits++) await visit(server.port, dice)
  })
  await Promise.all(visitors)
  await until(() => expect(server.counts.open).toBe(0))
  expect(server.counts.held).toBe(0)
  // But for those that had gone before they were accepted.
  expect(server.counts.opened).toBeGreaterThan(120)
  expect(server.counts.ended).toMatchObject({ failed: 0, memory: 0, unread: 0, slow: 0, idle: 0 })
  expect(server.logged).toEqual([])
})
