import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { CountingLoad } from '../rate/counting-load.ts'
import { ThreeGateways } from '../rate/three-gateways.ts'
import { Processes, until } from './processes.ts'

const closers: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

describe('a rate limit', () => {
  it('is a plain bucket under `portolan up`, and follows the configuration', async () => {
    const processes = new Processes()
    closers.push(() => processes.endAll())
    const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
    const directory = processes.directory()
    const config = (qps: number): string => `
api: { listen: ["127.0.0.1:${api}"] }
gateway:
  listen: ["127.0.0.1:${gateway}"]
  admin: 127.0.0.1:${admin}
services:
  echo:
    run: { command: [node, ${new URL('programs/echo.mjs', import.meta.url).pathname}] }
    rateLimit:
      enabled: true
      qps: ${qps}
      burst: 40
      strategy: token-bucket
`
    const file = processes.file('portolan.yaml', config(20), directory)
    await processes.up(['--config', file, '--data', `${directory}/data`])
    const send = async (): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${gateway}/`, { headers: { host: 'x' } }).catch(() => null)
      await answer?.arrayBuffer()
      return answer?.status ?? 0
    }
    await until('the gateway', async () => (await send()) > 0)
    const load = new CountingLoad(gateway, 'echo.portolan')
    closers.push(() => load.close())
    load.rate(1)
    await until('an answer', () => load.counts.passed > 0)
    load.rate(0)
    // Full again.
    await sleep(2500)
    const before = load.counts
    const start = performance.now()
    load.rate(200)
    await sleep(4000)
    load.rate(0)
    const plan = 40 + (20 * (performance.now() - start)) / 1000
    await sleep(300)
    const passed = load.counts.passed - before.passed
    console.info(`one gateway: ${passed} passed of ${plan.toFixed(1)} planned`)
    expect(Math.abs(passed - plan)).toBeLessThan(7)
    expect(load.counts.withRetryAfter).toBe(load.counts.limited)

    processes.file('portolan.yaml', config(100), directory)
    load.rate(400)
    await until('the new rate', async () => {
      const from = load.counts.passed
      await sleep(1000)
      return load.counts.passed - from > 80
    })
    expect(load.counts.other).toBe(0)
  })

  it('stays as it was dealt out when the registry is gone', async () => {
    const three = new ThreeGateways({ qps: 300, burst: 60 })
    closers.push(() => three.close())
    await three.open()
    await three.stretch('before', [200, 200, 200], 3000, 0)
    const shares = await three.shares()
    await three.registry?.end('SIGKILL')
    await three.rest(4000)
    expect(await three.shares()).toEqual(shares)
    const { passed, gateways } = await three.stretch('without', [200, 200, 200], 3000, 60)
    console.info(`without a registry: ${passed} passed in 3 s of 300/s and a burst of 60`)
    expect(passed).toBeLessThan(3 * 300 + 60 + 30)
    expect(passed).toBeGreaterThan(700)
    expect(gateways.every(({ limited }) => limited > 0)).toBe(true)
  })
})
