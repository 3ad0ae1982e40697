import { breakerDefaults, limitDefaults, seededRandom } from '@portolan/core'
import { expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { answering, eventually, hello } from './testing/harness.ts'
import { instanceOf } from './testing/static-resolver.ts'

const { opened, gatewayFor, rawUpstream, clientOf } = fixture()

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const body = 'x'.repeat(20_000)

/** One client with one request; a fifth of them leave before they have to. */
async function visit(port: number, dice: () => number): Promise<'answered' | 'refused' | 'lost' | 'left'> {
  const posts = dice() < 0.3
  const client = clientOf(port)
  const head = 'HTTP/1.1\r\nHost: a\r\n'
  client.send(posts ? `POST / ${head}Content-Length: ${body.length}\r\n\r\n${body}` : `GET / ${head}\r\n`)
  if (dice() < 0.2) {
    await sleep(dice() * 60)
    client.socket.resetAndDestroy()
    return 'left'
  }
  await client.until(() => client.closed || client.ended || client.received.includes('\r\n\r\n'))
  client.socket.destroy()
  if (client.received.startsWith('HTTP/1.1 200')) return 'answered'
  return client.received.startsWith('HTTP/1.1 5') ? 'refused' : 'lost'
}

it('leaves nothing behind, whoever comes, goes, waits, fails and changes its mind', async () => {
  const dice = seededRandom(11)
  const upstreams = await Promise.all(
    Array.from({ length: 4 }, () =>
      rawUpstream((socket, text) => {
        if (dice() < 0.05) return void socket.resetAndDestroy()
        const closing = dice() < 0.2
        const response = closing ? hello.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') : hello
        if (!text.includes('\r\n\r\n') && !text.endsWith('x')) return
        if (text.startsWith('POST') && text.length < body.length) return
        setTimeout(() => socket.writable && answering(response)(socket, '\r\n\r\n'), dice() * 15)
      }),
    ),
  )
  const { gateway, resolver, registry } = await gatewayFor([], {
    breaker: { ...breakerDefaults, connections: 2, pending: 30, requests: 60, queueTimeoutMs: 200 },
    limits: { ...limitDefaults, memory: 400_000, poolMaxLifetimeMs: 300, poolIdleMs: 200 },
    bodyIdleMs: 2000,
    responseMs: 2000,
  })
  let incarnation = 1
  const give = (): void => {
    const causes = [{ kind: 'http' as const, owner: 'x', reason: 'ill', since: '' }]
    const draining = [{ kind: 'draining' as const, owner: 'x', reason: 'deploy', since: '' }]
    const instances = upstreams.flatMap(({ port }, index) => {
      const fate = dice()
      if (fate < 0.15) return []
      const ill = fate < 0.3 ? causes : fate < 0.4 ? draining : []
      if (fate > 0.9) incarnation++
      return [instanceOf('order', `order-${index}`, port, { causes: ill, incarnation })]
    })
    resolver.give('order', instances)
  }
  give()
  const seen = { answered: 0, refused: 0, lost: 0, left: 0 }
  const visitors = Array.from({ length: 70 }, async () => {
    for (let n = 0; n < 12; n++) seen[await visit(gateway.port, dice)]++
  })
  const changing = setInterval(give, 50)
  opened.add(() => clearInterval(changing))
  await Promise.all(visitors)
  clearInterval(changing)

  const stats = gateway.stats.of('order')
  expect(seen.answered).toBeGreaterThan(100)
  expect(stats.queued).toBeGreaterThan(20)
  expect(stats.struck.pending + stats.struck.requests + stats.struck.queueTimeout).toBeGreaterThan(0)
  await eventually(
    () => gateway.stats.connections === 0 && stats.load?.underWay === 0 && stats.load.pools.pending === 0,
    () => JSON.stringify({ connections: gateway.stats.connections, load: stats.load?.underWay }),
  )
  for (let index = 0; index < upstreams.length; index++) {
    for (let run = 1; run <= incarnation; run++)
      expect(resolver.inFlight('order', { id: `order-${index}`, incarnation: run })).toBe(0)
  }
  const buffered = async (): Promise<string | undefined> =>
    /portolan_gateway_buffered_bytes (\d+)/.exec(await registry.metrics())?.[1]
  await expect.poll(buffered, { timeout: 5000 }).toBe('0')
  await eventually(() => gateway.stats.upstreamConnections === 0 && stats.load?.pools.open === 0)
})
