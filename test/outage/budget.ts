import { connect } from '@portolan/client'
import { Faults } from '../faults/faults.ts'
import { monotonicMs, sleep } from '../faults/monotonic.ts'
import type { Program } from '../faults/program.ts'
import { freePort } from '../ports.ts'
import { openRegistry, startFleet, startVisitors, until } from './registry.ts'

export interface BudgetOptions {
  /** Requests a second through the gateway; 0 = nobody visits. */
  readonly rate: number
  /** Where the instances have their addresses: three numbers. Default: 127.71.0. */
  readonly network?: string
  /** How long checks are counted, once they have settled. */
  readonly seconds: number
  /** How many of the instances are killed afterwards, one after the other. */
  readonly kills: number
  readonly say?: (progress: string) => void
}

const instances = 100
const check = { type: 'http', path: '/health', interval: '200ms', timeout: '150ms' }
/** All checks are new at first and run at once; the rate of the business is a mean over 10 s. */
const settleMs = 15_000

interface Looks {
  readonly instances: number
  readonly count: number
  readonly longestGapMs: number
}

/** 100 instances with sessions whose checks want 500 looks a second, as the instances themselves count them. */
export async function checksUnderBudget({
  rate,
  network = '127.71.0',
  seconds,
  kills,
  say = () => {},
}: BudgetOptions) {
  const faults = new Faults()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  try {
    await openRegistry(faults, { listen: `127.0.0.1:${port}` })
    const fleet = { url, service: 'echo', network, checks: [check] }
    const crowd = await startFleet(faults, { ...fleet, first: 0, count: instances - kills })
    const victims: Program[] = []
    for (let n = instances - kills; n < instances; n++)
      victims.push(await startFleet(faults, { ...fleet, first: n, count: 1 }))
    const portolan = await connect(url)
    faults.later(() => portolan.close())
    const healthy = watchHealthy(portolan.watch('echo'))
    await until('all healthy', () => healthy().size === instances)
    const ports = [await freePort(), await freePort()] as const
    const visitors =
      rate === 0 ? undefined : await startVisitors(faults, { url, service: 'echo', ports, rate })

    await sleep(settleMs)
    const looks = (): Promise<readonly Looks[]> =>
      Promise.all([crowd, ...victims].map(program => program.ask<Looks>('looks')))
    const visits = async (): Promise<number> =>
      (await visitors?.ask<{ ok: number; failed: number }>('counts'))?.ok ?? 0
    await looks()
    const [from, before] = [monotonicMs(), await visits()]
    say(`${seconds} s of checks beside ${rate} requests/s`)
    await sleep(seconds * 1000)
    const found = await looks()
    const took = (monotonicMs() - from) / 1000
    const after = await visits()

    const killMs: number[] = []
    for (const [index, victim] of victims.entries()) {
      const id = `i-${instances - kills + index}`
      await sleep(300 + Math.random() * 1000)
      const at = monotonicMs()
      process.kill(victim.pid, 'SIGKILL')
      killMs.push((await until(`${id} is out`, () => !healthy().has(id), 60_000, 2)) - at)
      say(`${id} out after ${Math.round(killMs[index] ?? 0)} ms`)
    }
    return {
      looked: found.reduce((sum, each) => sum + each.instances, 0),
      checksPerSecond: found.reduce((sum, { count }) => sum + count, 0) / took,
      requestsPerSecond: (after - before) / took,
      longestGapMs: Math.max(...found.map(({ longestGapMs }) => longestGapMs)),
      killMs,
    }
  } finally {
    await faults.undo()
  }
}

/** Who may be picked, as a subscriber sees it. */
function watchHealthy(
  sets: AsyncIterable<{ instances: readonly { id: string; causes: readonly unknown[] }[] }>,
) {
  let latest: ReadonlySet<string> = new Set()
  const follow = async (): Promise<void> => {
    for await (const { instances: all } of sets)
      latest = new Set(all.filter(({ causes }) => causes.length === 0).map(({ id }) => id))
  }
  follow().catch(() => {})
  return () => latest
}
