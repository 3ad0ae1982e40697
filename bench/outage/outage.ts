import { Faults } from '../../test/faults/faults.ts'
import { monotonicMs, sleep } from '../../test/faults/monotonic.ts'
import { during, openRegistry, standing, startFleet, startLoad, until } from '../../test/outage/registry.ts'
import { freePort } from '../../test/ports.ts'
import { type Bench, type Row, round } from '../row.ts'

const instances = Number(process.env.BENCH_INSTANCES ?? 5000)
const awayMs = Number(process.env.BENCH_OUTAGE_MS ?? 20_000)
const services = 100
const processes = 4
const rate = 300
/** Not one of those that instances are given: on our own port no instance may be registered. */
const port = 19_087

interface Measured {
  readonly failed: number
  readonly backMs: number
  readonly detail: Readonly<Record<string, unknown>>
}

async function measure(say: (progress: string) => void): Promise<Measured> {
  const faults = new Faults()
  try {
    const url = `http://127.0.0.1:${port}`
    const registry = await openRegistry(faults, { listen: `127.0.0.1:${port}` })
    say(`${instances} instances with a session each, from ${processes} processes`)
    const each = instances / processes
    const fleet = { url, service: 'echo', services, network: '127.7.0', count: each }
    for (let n = 0; n < processes; n++) await startFleet(faults, { ...fleet, first: n * each })
    await until('all healthy', async () => (await standing(url)).healthy === instances, 120_000, 200)
    const ports = [await freePort(), await freePort()] as const
    const load = await startLoad(faults, { url, service: 'echo-0', ports, rate })
    await sleep(3000)
    const before = await load.counts()
    const { sessions } = await standing(url)

    say(`kill -9 of the registry; it stays away for ${awayMs} ms`)
    await registry.program.end('SIGKILL')
    await sleep(awayMs)
    const away = await during(load, before)
    say('it starts again')
    const startedAt = monotonicMs()
    let readyAt = 0
    const starting = registry.start().then(() => {
      readyAt = monotonicMs()
    })
    const [, healthyAt] = await Promise.all([
      starting,
      until('all healthy again', async () => (await standing(url)).healthy === instances, 120_000, 100),
    ])
    const sessionsAt = await until(
      'all sessions again',
      async () => (await standing(url)).sessions === sessions,
      120_000,
      100,
    )
    await sleep(3000)
    const all = await during(load, before)
    const back = Math.max(healthyAt, sessionsAt)
    return {
      failed: all.gateway.failed + all.sdk.failed,
      backMs: back - startedAt,
      detail: {
        instances,
        sessions,
        processes,
        outageMs: awayMs,
        whileAway: away,
        inAll: all,
        secondsUntil: {
          ready: seconds(readyAt - startedAt),
          allHealthy: seconds(healthyAt - startedAt),
          allSessionsBack: seconds(sessionsAt - startedAt),
        },
        checks: 'one TCP check each, by default',
      },
    }
  } finally {
    await faults.undo()
  }
}

const seconds = (ms: number): number => round(ms / 1000, 2)

let measuring: Promise<Measured> | undefined

/** Both rows speak of one outage. */
function row(build: (measured: Measured) => Row): Bench {
  return async say => {
    measuring ??= measure(say)
    return build(await measuring)
  }
}

/** Calls that failed, through a gateway and by SDK, while every registry node was away and came back. */
export const outageFailedRow = row(({ failed, detail }) => ({
  row: 'outage.failed',
  value: failed,
  unit: 'count',
  better: 'lower',
  detail: { atMost: 0, aim: 0, ...detail },
}))

/** Seconds from starting the registry again until all instances are healthy and hold their sessions. */
export const outageBackRow = row(({ backMs, detail }) => ({
  row: 'outage.back',
  value: seconds(backMs),
  unit: 's',
  better: 'lower',
  detail: { atMost: 15, aim: 5, ...detail },
}))
