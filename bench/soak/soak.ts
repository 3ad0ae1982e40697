import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { end, find, pinned, root } from '../programs.ts'
import { type Bench, round } from '../row.ts'
import { type Memory, openHarbour, type Workload } from './harbour.ts'

/** Ten minutes; an hour on demand. */
const seconds = Number(process.env.BENCH_SECONDS ?? 600)
const connections = 64
const policies = ['least-request', 'adaptive', 'round-robin', 'peak-ewma'] as const
/** Instances go, and come again, every so many changes of the configuration. */
const rescaleEvery = 7
const replicas = [6, 4] as const

/**
 * Requests that failed in ten minutes at half of what the service can take, while the configuration changes every second
 * (the policy, a route) and instances go and come every seven; with the gateway's and the registry's memory each minute.
 */
export const proxySoakRow: Bench = async say => {
  const directory = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const harbour = await openHarbour(directory, workload(0))
  try {
    const most = (await h2load(harbour.port, 5)).perSecond
    const rate = Math.round(most / 2)
    say(`${rate} requests/s, half of ${Math.round(most)}, for ${seconds} s`)
    let isOver = false
    const memory: Memory[] = [harbour.memory()]
    const loading = h2load(harbour.port, seconds, rate).finally(() => {
      isOver = true
    })
    const from = performance.now()
    for (let change = 1; !isOver; change++) {
      harbour.configure(workload(change))
      await setTimeout(1000)
      if (performance.now() - from < memory.length * 60_000) continue
      memory.push(harbour.memory())
      say(`minute ${memory.length - 1}: ${JSON.stringify(memory.at(-1))} MB`)
    }
    const load = await loading
    memory.push(harbour.memory())
    const reloads = harbour.output().split('loaded again').length - 1
    if (reloads < seconds / 3) throw new Error(`only ${reloads} changes were taken over`)
    return {
      row: 'proxy.soak',
      value: load.failed,
      unit: 'count',
      better: 'lower',
      detail: { atMost: 0, aim: 0, seconds, ratePerSecond: rate, reloads, ...load, memoryMB: memory },
    }
  } finally {
    await end(harbour.up, 'SIGINT')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The configuration of that number: no two in a row are equal. */
function workload(change: number): Workload {
  return {
    command: ['node', join(root, 'test/e2e/programs/abrupt.mjs')],
    replicas: replicas[Math.floor(change / rescaleEvery) % replicas.length] ?? 4,
    policy: policies[change % policies.length] ?? 'adaptive',
    route: change % 2 === 0 ? '/even' : '/odd',
  }
}

interface Loaded {
  readonly requests: number
  readonly failed: number
  readonly perSecond: number
}

/** Closed-loop load, or so many requests a second. */
async function h2load(port: number, forSeconds: number, rate?: number): Promise<Loaded> {
  const paced = rate === undefined ? [] : [`--rps=${rate / connections}`]
  const args = ['--h1', '-t1', `-c${connections}`, `-D${forSeconds}`, ...paced, `http://127.0.0.1:${port}/`]
  const [command, all] = pinned(1, find('h2load'), args)
  const child = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  const [, done, succeeded] = /(\d+) done, (\d+) succeeded/.exec(text) ?? []
  const [, ok] = /status codes: (\d+) 2xx/.exec(text) ?? []
  const [, failed, errored, timedOut] = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(text) ?? []
  if (done === undefined || ok === undefined) throw new Error(`h2load said: ${text}`)
  const bad = Math.max(Number(done) - Number(ok), Number(done) - Number(succeeded))
  return {
    requests: Number(done),
    failed: bad + Number(failed) + Number(errored) + Number(timedOut),
    perSecond: round(Number(done) / forSeconds, 0),
  }
}
