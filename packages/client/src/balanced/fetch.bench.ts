import { Worker } from 'node:worker_threads'
import { type Resolver, receiverOf } from '@portolan/core'
import { fetch, Pool, request } from 'undici'
import { instanceOf } from '../testing/scripted-registry.ts'
import { openService } from './service.ts'

/**
 * What the SDK adds to a direct undici call: p50 and p90 in µs, the calls interleaved against one server in a worker.
 * `undici.fetch` gives what we give, a WHATWG Response; `undici.request` does not, and is the harder measure.
 * Run: node --import tsx --conditions=portolan-source packages/client/src/balanced/fetch.bench.ts
 */
export interface Overhead {
  readonly p50: number
  readonly p90: number
}

const server = `
  const { createServer } = require('node:http')
  const { parentPort } = require('node:worker_threads')
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end('{"ok":true}')
  })
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

/** @param rounds calls of each kind; the first third warms up and does not count */
export async function measureFetch(rounds: number): Promise<Readonly<Record<string, Overhead>>> {
  const worker = new Worker(server, { eval: true })
  const port = await new Promise<number>(resolve => worker.once('message', resolve))
  const origin = `http://127.0.0.1:${port}`
  const pool = new Pool(origin)
  const service = openService(
    fixed(port),
    { namespace: 'default', service: 'order' },
    {},
    {
      clock: { now: () => performance.now() },
      random: Math.random,
      timers: { after: () => () => {} },
    },
  )
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    request: async () => (await request(`${origin}/orders/1`, { dispatcher: pool })).body.text(),
    fetch: async () => (await fetch(`${origin}/orders/1`, { dispatcher: pool })).text(),
    sdk: async () => (await service.fetch('/orders/1')).text(),
  }
  const times = Object.keys(calls).map((name): [string, number[]] => [name, []])
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of times) {
      const start = performance.now()
      await calls[name]?.()
      list.push((performance.now() - start) * 1000)
    }
  }
  await service.close(100)
  await pool.close()
  await worker.terminate()
  return Object.fromEntries(times.map(([name, list]) => [name, quantiles(list.slice(rounds / 3))]))
}

function quantiles(list: number[]): Overhead {
  list.sort((a, b) => a - b)
  const at = (part: number) => list[Math.floor(list.length * part)] ?? Number.NaN
  return { p50: at(0.5), p90: at(0.9) }
}

function fixed(port: number): Resolver {
  const instances = [instanceOf('order', 'order-1', port)]
  return {
    subscribe(name, subscriber) {
      receiverOf(subscriber)({
        set: { ...name, cursor: { epoch: 'e', revision: 1 }, instances },
        stale: false,
      })
      return () => {}
    },
    idle() {},
    report() {},
    claim: () => ({ tell() {}, end() {} }),
  }
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(`${JSON.stringify(await measureFetch(6000), undefined, 2)}\n`)
}
