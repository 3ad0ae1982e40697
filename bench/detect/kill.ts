import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Portolan } from '@portolan/client'
import { end, firstLine, fromSource, root, start } from '../programs.ts'
import { type Bench, quantile, round } from '../row.ts'

const repetitions = Number(process.env.BENCH_REPETITIONS ?? 50)
const consumers = 20
const apiPort = 19085
const api = `http://127.0.0.1:${apiPort}`

const config = `
api: { listen: ["127.0.0.1:${apiPort}"] }
services:
  echo: { run: { command: [node, ${join(root, 'test/e2e/programs/echo.mjs')}], replicas: 3 } }
`

interface Listed {
  readonly id: string
  readonly incarnation: number
  readonly metadata: { readonly pid?: string }
  readonly causes: readonly unknown[]
}

async function healthy(): Promise<readonly Listed[]> {
  const response = await fetch(`${api}/api/v1/services/echo/instances`)
  const { instances } = (await response.json()) as { instances: readonly Listed[] }
  return instances.filter(instance => instance.causes.length === 0)
}

async function allThree(): Promise<readonly Listed[]> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const found = await healthy()
    if (found.length === 3) return found
    if (performance.now() > deadline) throw new Error('three healthy instances never came')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Picks on every turn of the event loop, as callers under load do, until nobody has picked `victim` for a while. */
async function lastPick(clients: readonly Portolan[], victim: Listed): Promise<number> {
  const services = clients.map(client => client.service('echo'))
  const start = performance.now()
  process.kill(Number(victim.metadata.pid), 'SIGKILL')
  let last = start
  while (performance.now() - last < 250) {
    for (const service of services) {
      const { instance, done } = service.pick()
      done('success')
      if (instance.id === victim.id && instance.incarnation === victim.incarnation) last = performance.now()
    }
    await new Promise(resolve => setImmediate(resolve))
  }
  return last - start
}

/** Milliseconds from `kill -9` of a supervised instance until the last pick of it by any of 20 consumers. */
export const detectKillRow: Bench = async say => {
  const dir = mkdtempSync(join(tmpdir(), 'portolan-bench-'))
  const file = join(dir, 'portolan.yaml')
  writeFileSync(file, config)
  const main = join(root, 'packages/portolan/src/cli/main.ts')
  const args = ['up', '--config', file, '--data', join(dir, 'data'), '--roles', 'registry']
  const up = start(0, process.execPath, [...fromSource, main, ...args], {
    env: { ...process.env, PORTOLAN_LOG: 'error' },
  })
  const clients: Portolan[] = []
  try {
    await firstLine(up, line => (line.startsWith('ready') ? true : undefined))
    for (let i = 0; i < consumers; i++) clients.push(await connect(api))
    for (const client of clients)
      await client
        .service('echo')
        .fetch('/')
        .then(response => response.text())
    const times: number[] = []
    for (let i = 0; i < repetitions; i++) {
      say(`kill ${i + 1} of ${repetitions}`)
      const victim = (await allThree())[i % 3]
      if (victim === undefined) throw new Error('nobody to kill')
      times.push(await lastPick(clients, victim))
    }
    return {
      row: 'detect.kill',
      value: round(quantile(times, 0.99), 2),
      unit: 'ms',
      better: 'lower',
      detail: {
        atMost: 100,
        aim: 10,
        repetitions,
        consumers,
        p50: round(quantile(times, 0.5), 2),
        p99: round(quantile(times, 0.99), 2),
        max: round(Math.max(...times), 2),
      },
    }
  } finally {
    await Promise.all(clients.map(client => client.close()))
    await end(up)
    rmSync(dir, { recursive: true, force: true })
  }
}
