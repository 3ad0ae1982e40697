import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Opened } from '../../proxy/testing/harness.ts'
import { openTested, patient } from './testing/open-tested.ts'
import { queryFor, withDnssec, withEdns } from './testing/queries.ts'
import {
  isThere,
  largeTexts,
  type RealResolver,
  type Running,
  realResolver,
} from './testing/real-upstreams.ts'

const name = 'www.example.test0'
const types = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28 }

describe.each<RealResolver>(['unbound', 'dnsmasq'])('names that %s knows', program => {
  const isMissing = !isThere(program)
  if (isMissing && process.env.CI) throw new Error(`${program} is not installed: npm run setup:test`)
  const running = new Opened()
  const opened = new Opened()
  let resolver: Running | undefined
  beforeAll(async () => {
    if (!isMissing) resolver = await realResolver(running, program)
  })
  afterEach(() => opened.close())
  afterAll(() => running.close())

  const open = () => {
    if (resolver === undefined) throw new Error('not started')
    return openTested(opened, [resolver.address], patient)
  }

  it.skipIf(isMissing)('are told as it tells them', async () => {
    const forwarder = open()
    for (const rest of [{}, withEdns, withDnssec]) {
      const v4 = await forwarder.read(queryFor('WWW.example.Test0', types.A, rest))
      expect(v4).toMatchObject({ rcode: 'NOERROR', flag_aa: false, flag_ra: true })
      expect(v4.questions?.[0]?.name).toBe('WWW.example.Test0')
      expect(v4.answers).toMatchObject([{ type: 'A', data: '192.0.2.1', ttl: 60 }])
    }
    expect((await forwarder.read(queryFor(name, types.AAAA))).answers).toMatchObject([
      { data: '2001:db8::1' },
    ])
    expect((await forwarder.read(queryFor(name, types.MX))).answers).toMatchObject([
      { data: { preference: 10, exchange: 'mail.example.test0' } },
    ])
    const alias = await forwarder.read(queryFor('alias.example.test0', types.CNAME))
    expect(alias.answers).toMatchObject([{ type: 'CNAME', data: name }])
  })

  it.skipIf(isMissing)('are asked once, and kept', async () => {
    const forwarder = open()
    await Promise.all(Array.from({ length: 20 }, () => forwarder.ask(queryFor(name))))
    await forwarder.ask(queryFor(name))
    expect(await forwarder.metric('asked_total')).toBe(1)
    expect(await forwarder.metric('questions_total{result="upstream"}')).toBe(20)
    expect(await forwarder.metric('questions_total{result="cache"}')).toBe(1)
  })

  it.skipIf(isMissing)('do not exist, or have no such record', async () => {
    const forwarder = open()
    expect(await forwarder.read(queryFor('nobody.example.test0'))).toMatchObject({
      rcode: 'NXDOMAIN',
      answers: [],
    })
    expect(await forwarder.read(queryFor(name, types.TXT))).toMatchObject({ rcode: 'NOERROR', answers: [] })
  })

  it.skipIf(isMissing)('come by TCP when UDP cannot carry them', async () => {
    const reply = await open().read(queryFor('large.example.test0', types.TXT, withEdns))
    const texts = (reply.answers ?? []).map(answer => ('data' in answer ? String(answer.data) : ''))
    expect([...texts].sort()).toEqual([...largeTexts].sort())
  })

  it.skipIf(isMissing)(
    'are asked of the next one while it stands still, and of itself when it is back',
    async () => {
      if (resolver === undefined) throw new Error('not started')
      const other = await realResolver(opened, program)
      const forwarder = openTested(opened, [other.address, resolver.address], { cacheSize: 0 })
      const label = `upstream_up{upstream="127.0.0.1:${other.address.port}"}`
      await forwarder.ask(queryFor(name))
      other.pause()
      for (let count = 0; count < 3; count++)
        expect(await forwarder.read(queryFor(name))).toMatchObject({ rcode: 'NOERROR' })
      expect(await forwarder.metric(label)).toBe(0)
      const from = performance.now()
      for (let count = 0; count < 20; count++) await forwarder.ask(queryFor(name))
      expect(performance.now() - from).toBeLessThan(1000)
      other.resume()
      const patience = performance.now() + 8000
      while ((await forwarder.metric(label)) === 0 && performance.now() < patience) {
        await forwarder.ask(queryFor(name))
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      expect(await forwarder.metric(label)).toBe(1)
    },
  )

  it.skipIf(isMissing)('are stale when it is gone, and SERVFAIL where nothing was known', async () => {
    const mortal = await realResolver(opened, program)
    let now = 0
    const forwarder = openTested(opened, [mortal.address], { clock: { now: () => performance.now() + now } })
    await forwarder.ask(queryFor(name))
    await mortal.kill()
    now += 61_000
    expect((await forwarder.read(queryFor(name))).answers).toMatchObject([{ data: '192.0.2.1', ttl: 30 }])
    expect(await forwarder.read(queryFor('other.example.test0'))).toMatchObject({ rcode: 'SERVFAIL' })
    expect(await forwarder.failures('unreachable')).toBeGreaterThan(0)
  })
})
