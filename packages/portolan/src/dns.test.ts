import { Resolver } from 'node:dns/promises'
import { performance } from 'node:perf_hooks'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { openTested, registered, someone } from './api/testing/open-tested.ts'
import { onTheWayMs } from './dns/directory/letting-go.ts'
import { dnsDefaults } from './dns/settings.ts'
import { startDns } from './dns.ts'

const keptMs = dnsDefaults.ttl * 1000 + onTheWayMs

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function open() {
  const tested = await openTested({ found: 'answered' })
  ends.push(() => tested.close())
  for (const id of ['a', 'b']) await registered(tested, 'order', id)
  const anyPort = { host: '127.0.0.1', port: 0 }
  const dns = await startDns({
    join: [tested.url],
    listen: [anyPort],
    admin: anyPort,
    settings: dnsDefaults,
    log: pino({ level: 'silent' }),
  })
  ends.push(() => dns.close())
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([...dns.addresses])
  const drain = () =>
    tested.registry.drain({ namespace: 'default', service: 'order', id: 'a' }, someone, 15_000)
  return { dns, drain, ask: () => resolver.resolveSrv('order.portolan') }
}

describe('DNS, told to end', () => {
  it('answers nobody any more, and holds drains until the last answer is over', async () => {
    const { dns, drain, ask } = await open()
    expect(await ask()).toHaveLength(2)
    const answeredAt = performance.now()
    const closed = dns.close()
    await expect(ask()).rejects.toThrow()
    expect(await drain()).toBe(true)
    // The answer had left before it was here; timers may be a little early.
    expect(performance.now() - answeredAt).toBeGreaterThan(keptMs - 200)
    await closed
    expect(performance.now() - answeredAt).toBeLessThan(10_000)
  })

  it('ends at once where nobody was answered', async () => {
    const { dns } = await open()
    const since = performance.now()
    await dns.close()
    expect(performance.now() - since).toBeLessThan(keptMs)
  })
})
