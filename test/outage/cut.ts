import { connect, type Portolan } from '@portolan/client'
import type { Instance } from '@portolan/core'
import { Faults } from '../faults/faults.ts'
import { monotonicMs, sleep } from '../faults/monotonic.ts'
import { freePort } from '../ports.ts'
import { joinByCable } from './cable.ts'
import { during, openRegistry, startFleet, startLoad, until } from './registry.ts'

export interface CutOptions {
  readonly instances: number
  /** Of them, how many are killed while the registry is cut off. */
  readonly dying: number
  readonly cutMs: number
  /** Requests a second through the gateway; the SDK sends 400. */
  readonly rate: number
  readonly say?: (progress: string) => void
}

/**
 * A registry that is cut off from all instances of a service, while those who call them are not: neither from the
 * instances nor from the registry. Some instances die meanwhile; then the cable heals.
 */
export async function registryCut(options: CutOptions) {
  const { instances, dying, cutMs, rate, say = () => {} } = options
  const faults = new Faults()
  let portolan: Portolan | undefined
  try {
    // Any of 64 networks, since others may use some at the same time.
    const network = `198.19.${4 * Math.floor(Math.random() * 64)}`
    const crowd = `${network}.0/22`
    const behind = faults.namespace()
    const place = faults.namespace(crowd)
    const cable = joinByCable(behind, place, crowd)
    const port = 7400
    const registry = await openRegistry(faults, { listen: `0.0.0.0:${port}`, namespace: behind })
    const url = `http://${behind.inside}:${port}`
    const fleet = {
      url: `http://${cable.ends[0]}:${port}`,
      service: 'echo',
      network,
      namespace: place,
    }
    const living = instances - dying
    const half = Math.floor(living / 2)
    const [, , doomed] = await Promise.all([
      startFleet(faults, { ...fleet, first: 0, count: half }),
      startFleet(faults, { ...fleet, first: half, count: living - half }),
      startFleet(faults, { ...fleet, first: living, count: dying }),
    ])
    portolan = await connect(url)
    const watched = watch(portolan, new Set(Array.from({ length: living }, (_, n) => `i-${n}`)))
    await until('all healthy', () => watched.healthy() === instances)
    const load = await startLoad(faults, {
      url,
      service: 'echo',
      ports: [await freePort(), await freePort()],
      rate,
    })
    await sleep(2000)
    const before = await load.counts()

    say(`cut for ${cutMs} ms`)
    const cutAt = monotonicMs()
    cable.cut()
    const allOutAt = await until('none is healthy', () => watched.healthy() === 0)
    await sleep(cutMs / 2 - (monotonicMs() - cutAt))
    await doomed.end('SIGKILL')
    await sleep(cutMs - (monotonicMs() - cutAt))
    const duringCut = await during(load, before)
    const kept = watched.size()
    say('healed')
    const healedAt = monotonicMs()
    cable.heal()
    const goneAt = await until('the dead are gone', () => watched.size() === living)
    const backAt = await until('the living are back', () => watched.healthy() === living)
    await sleep(3000)
    return {
      kept,
      disconnectedAfterMs: allOutAt - cutAt,
      firstBackAfterMs: watched.firstBackSince(healedAt) - healedAt,
      deadGoneAfterMs: goneAt - healedAt,
      allBackAfterMs: backAt - healedAt,
      liveRemoved: watched.removed(),
      newRuns: watched.newRuns(),
      duringCut,
      requests: await during(load, before),
      registrySaid: registry.program.output.slice(-4000),
      gatewayMetrics: await (await fetch(`${load.gateway}/metrics`)).text(),
    }
  } finally {
    await portolan?.close()
    await faults.undo()
  }
}

/** Sees every set that a subscriber of the registry sees. */
function watch(portolan: Portolan, living: ReadonlySet<string>) {
  let latest: readonly Instance[] = []
  const runs = new Map<string, number>()
  const removed = new Set<string>()
  const renewed = new Set<string>()
  const backAt = new Map<string, number>()
  const see = async (): Promise<void> => {
    for await (const { instances } of portolan.watch('echo')) {
      const ids = new Set(instances.map(({ id }) => id))
      for (const { id } of latest) if (living.has(id) && !ids.has(id)) removed.add(id)
      for (const { id, incarnation, causes } of instances) {
        if (living.has(id) && incarnation !== (runs.get(id) ?? incarnation)) renewed.add(id)
        runs.set(id, incarnation)
        if (causes.length > 0) backAt.delete(id)
        else if (!backAt.has(id)) backAt.set(id, monotonicMs())
      }
      latest = instances
    }
  }
  see().catch(() => {})
  return {
    size: () => latest.length,
    healthy: () => latest.filter(({ causes }) => causes.length === 0).length,
    removed: () => [...removed],
    newRuns: () => [...renewed],
    firstBackSince: (since: number) => Math.min(...[...backAt.values()].filter(at => at >= since)),
  }
}
