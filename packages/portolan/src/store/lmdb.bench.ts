import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEtcd } from '../../../../bench/peers/etcd.ts'
import { openLmdbStore } from './lmdb.ts'

// Run: node --import tsx --conditions=portolan-source packages/portolan/src/store/lmdb.bench.ts
// 64 in flight, values of 500 bytes, 20,000 keys in no order. The three loads take turns, so that a noisy machine
// is noisy for all of them; what is printed are the medians.
const rounds = Number(process.env.ROUNDS ?? 5)
const seconds = 1
const inFlight = 64
const value = 'v'.repeat(500)

let written = 0
const nextKey = () => `instances/default/order/order-${String((written++ * 7919) % 20_000).padStart(6, '0')}`

async function rate(write: (key: string) => Promise<unknown>): Promise<number> {
  const start = performance.now()
  const end = start + seconds * 1000
  let done = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        await write(nextKey())
        done++
      }
    }),
  )
  return (done * 1000) / (performance.now() - start)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const directory = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
const store = await openLmdbStore({ directory })
const etcd = await startEtcd()
const commit = (key: string) => store.commit({ put: [{ key, value }] })
const loads = new Map<string, (key: string) => Promise<unknown>>([
  ['acknowledged when SIGKILL-safe', commit],
  ['acknowledged after the disk', key => commit(key).then(() => store.flushed())],
])
if (etcd !== undefined) loads.set(`etcd ${etcd.version} puts`, key => etcd.put(key, value))

const rates = new Map([...loads.keys()].map(name => [name, [] as number[]]))
for (let round = 0; round <= rounds; round++) {
  for (const [name, load] of loads) {
    const measured = await rate(load)
    // The first round warms up.
    if (round > 0) rates.get(name)?.push(measured)
  }
}
for (const [name, measured] of rates) {
  process.stdout.write(`${name.padEnd(34)} ${Math.round(median(measured)).toLocaleString('en')}/s\n`)
}
await store.close()
await etcd?.stop()
rmSync(directory, { recursive: true, force: true })
