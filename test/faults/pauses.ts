import { connect } from '@portolan/client'
import { sleep } from './monotonic.ts'
import { type Program, script } from './program.ts'
import { stopFor } from './signals.ts'
import { everywhere, type Member, startMember, type World } from './world.ts'

export interface PausePlan {
  readonly seconds: number
  readonly instances: number
  /** Calls a second of each of the two callers. */
  readonly rate: number
  readonly pauseMs: number
  /** Between two pauses of one instance, on average. */
  readonly everyMs: number
}

interface Found {
  readonly calls: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly failed: readonly string[]
}

export interface Pauses {
  /** How often an instance was paused, by a busy loop and by SIGSTOP. */
  readonly busy: number
  readonly stopped: number
  /** As applications call, and the same without any reaction to what the registry says. */
  readonly live: Found
  readonly fixed: Found
  /** Causes that were seen, by kind. */
  readonly causes: Readonly<Record<string, number>>
  readonly removed: number
  /** Checks that hold an instance back for having failed before. */
  readonly damped: number
}

/** Pauses instances at random while two callers call them, one that listens to the registry and one that does not. */
export async function measurePauses(
  world: World,
  plan: PausePlan,
  say: (text: string) => void,
): Promise<Pauses> {
  const { faults, url } = world
  const members: Member[] = []
  // One after the other: twenty starting at once would take each other's time.
  for (let i = 0; i < plan.instances; i++) members.push(await startMember(faults, `echo-${i}`, { url }))
  await world.healthy('echo', plan.instances)
  const call = async (how: string): Promise<Program> => {
    const program = faults.start(script('caller'), [url, 'echo', String(plan.rate), how], {
      cpus: everywhere,
    })
    await program.line(line => (line === 'ready' ? true : undefined))
    return program
  }
  const [live, fixed] = [await call('live'), await call('fixed')]
  const watched = await watchCauses(url, plan.instances)
  faults.later(() => watched.close())
  await sleep(1000)
  await Promise.all([live.ask('found'), fixed.ask('found')])

  const until = performance.now() + plan.seconds * 1000
  const counts = { busy: 0, stopped: 0 }
  const pauseAtRandom = async ({ id, program }: Member): Promise<void> => {
    for (;;) {
      await sleep(-Math.log(1 - Math.random()) * plan.everyMs)
      if (performance.now() > until) return
      if (Math.random() < 0.5) {
        counts.stopped += 1
        // Its own number alone says nothing of why it is gone.
        await stopFor(program.pid, plan.pauseMs).catch((thrown: unknown) => {
          throw new Error(`${id} cannot be stopped, it said: ${program.output}`, { cause: thrown })
        })
      } else {
        counts.busy += 1
        await program.ask('pause', plan.pauseMs)
        await sleep(plan.pauseMs)
      }
    }
  }
  const pausing = Promise.all(members.map(pauseAtRandom))
  // Reported when it is awaited, at the end; until then nobody waits for it.
  pausing.catch(() => {})
  for (let left = plan.seconds; left > 0; left -= 30) {
    say(`${left} s to go, ${counts.busy + counts.stopped} pauses`)
    await sleep(Math.min(left, 30) * 1000)
  }
  const [byLive, byFixed] = await Promise.all([live.ask<Found>('found'), fixed.ask<Found>('found')])
  await pausing
  const damped = await dampedChecks(url, members)
  return { ...counts, live: byLive, fixed: byFixed, ...watched.seen, damped }
}

/** Counts causes as they come, and instances that leave. */
async function watchCauses(url: string, instances: number) {
  const portolan = await connect(url)
  const causes: Record<string, number> = {}
  const seen = { causes, removed: 0 }
  let before = new Map<string, ReadonlySet<string>>()
  const follow = async (): Promise<void> => {
    for await (const set of portolan.watch('echo')) {
      const now = new Map(
        set.instances.map(({ id, causes }) => [id, new Set(causes.map(({ kind }) => kind as string))]),
      )
      for (const id of before.keys()) if (!now.has(id)) seen.removed += 1
      for (const [id, kinds] of now) {
        for (const kind of kinds) if (!before.get(id)?.has(kind)) causes[kind] = (causes[kind] ?? 0) + 1
      }
      before = now
    }
  }
  const following = follow()
  while (before.size < instances) await sleep(10)
  return {
    seen,
    close: async () => {
      await portolan.close()
      await following
    },
  }
}

async function dampedChecks(url: string, members: readonly Member[]): Promise<number> {
  let damped = 0
  for (const { id } of members) {
    const response = await fetch(`${url}/api/v1/services/echo/instances/${id}/why`)
    if (!response.ok) throw new Error(`why ${id}: ${response.status} ${await response.text()}`)
    const { checks = [] } = (await response.json()) as {
      checks?: readonly { penalty: number; heldUntil?: string }[]
    }
    damped += checks.filter(({ penalty, heldUntil }) => penalty > 0 || heldUntil !== undefined).length
  }
  return damped
}
