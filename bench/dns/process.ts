import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, type Portolan } from '@portolan/client'
import { end, firstLine, fromSource, root, start } from '../programs.ts'
import { openRegistry } from '../registry/ours.ts'
import { type Bench, median, quantile, round } from '../row.ts'
import { answered, openAsker } from './question.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const seconds = Number(process.env.BENCH_SECONDS ?? 8)
const [apiPort, dnsPort] = [19_091, 19_092]
const name = { name: 'still.portolan', type: 'A' } as const
/** Registrations under way at a time, over so many sessions: as much as the registry can take. */
const sessions = 8
const underWay = 8
const askEachMs = 2

interface Served {
  readonly url: string
  close(): Promise<void>
}

/** Registry and DNS in two processes that share one processor. */
async function apart(): Promise<Served> {
  const registry = await openRegistry()
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const words = ['dns', '--join', registry.url, '--listen', `127.0.0.1:${dnsPort}`, '--admin', '127.0.0.1:0']
  const dns = start(0, process.execPath, [...fromSource, main, ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const close = async (): Promise<void> => {
    await end(dns)
    await registry[Symbol.asyncDispose]()
  }
  return { url: registry.url, close }
}

/** Both in one process, on that processor. */
async function together(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-bench-dns-'))
  writeFileSync(
    join(folder, 'portolan.yaml'),
    `api: { listen: ["127.0.0.1:${apiPort}"] }\nregistry: { lease: 10m }\n`,
  )
  const program = fileURLToPath(new URL('./programs/registry.ts', import.meta.url))
  const both = start(0, process.execPath, [...fromSource, program, String(apiPort), String(dnsPort), folder])
  const close = async (): Promise<void> => {
    await end(both)
    rmSync(folder, { recursive: true, force: true })
  }
  await firstLine(both, line => (line === 'ready' ? true : undefined)).catch(async error => {
    await close()
    throw error
  })
  return { url: `http://127.0.0.1:${apiPort}`, close }
}

/** Registers and takes back without a pause; returns how often it did both. */
async function changing(portolan: Portolan, worker: number, signal: AbortSignal): Promise<number> {
  let done = 0
  while (!signal.aborted) {
    const address = `127.9.${worker}.${(done % 250) + 1}`
    const lease = await portolan.register({
      service: `s${done % 100}`,
      port: 8080,
      addresses: [address],
      checks: [],
    })
    await lease.close()
    done += 1
  }
  return done
}

/** Latencies of one name that does not change, asked at a steady pace while the registry has all that it can do. */
async function measure(open: () => Promise<Served>) {
  const served = await open()
  try {
    const clients = await Promise.all(Array.from({ length: sessions }, () => connect(served.url)))
    const [first] = clients
    if (first === undefined) throw new Error('there is no session')
    await first.register({ service: 'still', port: 8080, addresses: ['127.9.9.9'], checks: [] })
    await answered(dnsPort, name)
    using asker = openAsker(dnsPort)
    const stop = new AbortController()
    const changes = clients.flatMap((client, index) =>
      Array.from({ length: underWay }, (_, worker) =>
        changing(client, index * underWay + worker, stop.signal),
      ),
    )
    const ms: number[] = []
    const begun = performance.now()
    const asks: Promise<void>[] = []
    for (let at = begun; at < begun + seconds * 1000; at += askEachMs) {
      await new Promise(resolve => setTimeout(resolve, Math.max(0, at - performance.now())))
      const sent = performance.now()
      asks.push(asker.ask(name).then(() => void ms.push(performance.now() - sent)))
    }
    await Promise.all(asks)
    stop.abort()
    const done = (await Promise.all(changes)).reduce((sum, count) => sum + count, 0)
    await Promise.all(clients.map(client => client.close()))
    return {
      p50: quantile(ms, 0.5),
      p99: quantile(ms, 0.99),
      max: Math.max(...ms),
      changes: (2 * done) / seconds,
    }
  } finally {
    await served.close()
  }
}

/** Why DNS is a process of its own: its p99 beside a busy registry, over that inside of it. Both on one processor. */
export const dnsProcessRow: Bench = async say => {
  const found: Record<'apart' | 'together', Awaited<ReturnType<typeof measure>>[]> = {
    apart: [],
    together: [],
  }
  for (let turn = 1; turn <= rounds; turn++) {
    say(`round ${turn} of ${rounds}`)
    found.apart.push(await measure(apart))
    found.together.push(await measure(together))
  }
  const middle = (all: (typeof found)['apart']) => ({
    p50Ms: round(median(all.map(({ p50 }) => p50)), 2),
    p99Ms: round(median(all.map(({ p99 }) => p99)), 2),
    maxMs: round(median(all.map(({ max }) => max)), 1),
    changesPerSecond: Math.round(median(all.map(({ changes }) => changes))),
  })
  const [apartFound, togetherFound] = [middle(found.apart), middle(found.together)]
  return {
    row: 'dns.process',
    value: round(apartFound.p99Ms / togetherFound.p99Ms),
    unit: 'ratio',
    better: 'lower',
    peer: 'in one process',
    detail: { rounds, seconds, apart: apartFound, together: togetherFound },
  }
}
