import { freePort } from '../ports.ts'
import { monotonicMs, sleep } from './monotonic.ts'
import { type Program, portolanMain, script } from './program.ts'
import { everywhere, type Member, type World } from './world.ts'

/** When consumers last turned to an address, by kind of consumer. */
export interface LastPicks {
  readonly pick: number
  readonly fetch: number
  readonly gateway: number
}

export interface Consumers {
  readonly count: number
  last(target: Member): Promise<LastPicks>
  counts(): Promise<{ readonly ok: number; readonly failed: number }>
}

const gateways = 4
const clientsPerProcess = 4

/**
 * 20 consumers in 8 processes: 8 clients that only pick (nothing but the registry's word keeps them away from
 * an instance), 8 that fetch 200 times a second, and 4 gateways with 200 visitors a second each.
 */
export async function openConsumers({ faults, url }: World): Promise<Consumers> {
  const attempts = { cpus: everywhere, preload: ['attempts'] } as const
  const sdk = (how: string): Program =>
    faults.start(script('consumer'), [url, 'echo', String(clientsPerProcess), how], attempts)
  const pick = [sdk('pick'), sdk('pick')]
  const fetch = [sdk('fetch'), sdk('fetch')]
  const ports = await Promise.all(Array.from({ length: gateways }, freePort))
  const lbs = ports.map(port =>
    faults.start(
      portolanMain,
      ['lb', '--join', url, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0'],
      attempts,
    ),
  )
  const isReady = (line: string): true | undefined => (/^(ready|joined)$/.test(line) ? true : undefined)
  await Promise.all([...pick, ...fetch, ...lbs].map(program => program.line(isReady)))
  const visitors = faults.start(
    script('visitors'),
    ['echo.portolan', '200', ...ports.map(port => `http://127.0.0.1:${port}/`)],
    { cpus: everywhere },
  )
  await visitors.line(isReady)

  const latest = async (programs: readonly Program[], target: string): Promise<number> =>
    Math.max(...(await Promise.all(programs.map(program => program.ask<number>('last', target)))))
  return {
    count: (pick.length + fetch.length) * clientsPerProcess + lbs.length,
    async last({ address, port }) {
      const target = `${address}:${port}`
      const [byPick, byFetch, byGateway] = await Promise.all(
        [pick, fetch, lbs].map(programs => latest(programs, target)),
      )
      return { pick: byPick ?? 0, fetch: byFetch ?? 0, gateway: byGateway ?? 0 }
    },
    async counts() {
      const all = await Promise.all(
        [...fetch, visitors].map(program => program.ask<{ ok: number; failed: number }>('counts')),
      )
      return {
        ok: all.reduce((sum, { ok }) => sum + ok, 0),
        failed: all.reduce((sum, { failed }) => sum + failed, 0),
      }
    },
  }
}

/** Waits until a member has traffic. Consumers may learn of an instance a moment after the registry lists it: a fault before would find nobody. */
export async function isPicked(consumers: Consumers, victim: Member): Promise<void> {
  const since = monotonicMs()
  for (;;) {
    const { pick } = await consumers.last(victim)
    if (pick > since) return
    if (monotonicMs() - since > 10_000) throw new Error(`${victim.id} gets no traffic`)
    await sleep(10)
  }
}

/** How long nobody may pick the victim until a pick counts as the last. */
const quietMs = 1000

/** Milliseconds from a fault at `at` to the last pick by each kind of consumer; undefined: they never stopped. */
export async function lastPicks(
  consumers: Consumers,
  victim: Member,
  at: number,
  withinMs: number,
): Promise<LastPicks | undefined> {
  for (;;) {
    await sleep(50)
    const asked = monotonicMs()
    const last = await consumers.last(victim)
    const since = (moment: number): number => Math.max(0, moment - at)
    const newest = Math.max(last.pick, last.fetch, last.gateway)
    if (newest === 0) throw new Error(`nobody has ever picked ${victim.id}: it is not in traffic`)
    if (asked - Math.max(newest, at) > quietMs) {
      return { pick: since(last.pick), fetch: since(last.fetch), gateway: since(last.gateway) }
    }
    if (asked - at > withinMs) return undefined
  }
}
