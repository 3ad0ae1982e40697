import { afterEach, describe, expect, it } from 'vitest'
import { type Consumers, isPicked, lastPicks, openConsumers } from '../faults/consumers.ts'
import { describeInNamespaces } from '../faults/namespaced.ts'
import { measurePauses } from '../faults/pauses.ts'
import { kill } from '../faults/signals.ts'
import { type Member, openWorld, startMember, type World } from '../faults/world.ts'

// Bounds for a busy machine, and far below what others take for the same; `npm run bench -- detect.kill` measures.

let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

async function crowd(here: World, checks?: readonly unknown[]): Promise<[Member, Member, Member, Member]> {
  const start = (id: string): Promise<Member> =>
    startMember(here.faults, id, { url: here.url, ...(checks === undefined ? {} : { checks }) })
  return Promise.all([start('a'), start('b'), start('c'), start('d')])
}

/** Until the last pick by anybody. */
async function strike(consumers: Consumers, victim: Member, fault: () => number): Promise<number> {
  await isPicked(consumers, victim)
  const last = await lastPicks(consumers, victim, fault(), 15_000)
  if (last === undefined) throw new Error(`${victim.id} was never left alone`)
  return Math.max(last.pick, last.fetch, last.gateway)
}

describe('20 consumers, the gateway and the library among them', () => {
  it('leave an instance that was killed or stopped, and come back to it', async () => {
    const here = await openWorld()
    world = here
    const [a, b, c] = await crowd(here)
    await here.healthy('echo', 4)
    const consumers = await openConsumers(here)
    const killed = await strike(consumers, a, () => kill(a.program.pid))
    const stopped = here.faults
    const hung: { resume: () => number }[] = []
    const hang = await strike(consumers, b, () => {
      const { at, resume } = stopped.stop(b.program.pid)
      hung.push({ resume })
      return at
    })
    for (const { resume } of hung) resume()
    await here.healthy('echo', 3)
    await isPicked(consumers, b)
    const again = await strike(consumers, c, () => kill(c.program.pid))
    const { ok, failed } = await consumers.counts()
    console.info(
      `last picks: killed ${killed.toFixed(0)} and ${again.toFixed(0)} ms, stopped ${hang.toFixed(0)} ms; ${ok} answers, ${failed} failures`,
    )
    expect(Math.max(killed, again)).toBeLessThan(1000)
    expect(hang).toBeLessThan(2000)
    expect(failed).toBe(0)
  })

  it('leave an instance that accepts and answers nothing, its session alive, where an HTTP check looks', async () => {
    const here = await openWorld()
    world = here
    const [a] = await crowd(here, [{ type: 'HTTP', path: '/' }])
    await here.healthy('echo', 4)
    const consumers = await openConsumers(here)
    await isPicked(consumers, a)
    const at = await a.program.ask<number>('hang', true)
    const last = await lastPicks(consumers, a, at, 15_000)
    console.info('last picks of the half-open one', last)
    expect(Math.max(...Object.values(last ?? { never: Infinity }))).toBeLessThan(3000)
    await a.program.ask('hang', false)
    await here.healthy('echo', 4)
    await isPicked(consumers, a)
  })
})

describe('a port that listens and where nobody accepts', () => {
  it('is out within seconds though it says nothing of itself', async () => {
    const first = await openWorld()
    world = first
    const { faults } = first
    const open = await Promise.all(['a', 'b'].map(id => startMember(faults, id, {})))
    const deaf = await faults.halfOpen('listens')
    const ports = [...open.map(({ port }) => port), deaf.port].map(port => `"127.0.0.1:${port}"`)
    const from = performance.now()
    const second = await openWorld(`  echo: { instances: [${ports}] }\n`, false, faults)
    await expect
      .poll(
        async () => (await second.instances('echo')).flatMap(({ causes }) => causes.map(({ kind }) => kind)),
        {
          timeout: 20_000,
        },
      )
      .toContain('tcp')
    console.info(`out ${(performance.now() - from).toFixed(0)} ms after its registry was started`)
    expect((await second.instances('echo')).length).toBe(3)
  })
})

describeInNamespaces('20 consumers, when all packets of one instance are dropped,', () => {
  it('leave it, and come back to it when packets pass again', async () => {
    const here = await openWorld('', true)
    world = here
    const network = here.faults.namespace()
    const others = ['a', 'b'].map(id => startMember(here.faults, id, { url: here.url }))
    const url = here.url.replace('127.0.0.1', network.outside)
    const away = await startMember(here.faults, 'c', { url, address: network.inside, namespace: network })
    await Promise.all(others)
    await here.healthy('echo', 3)
    const consumers = await openConsumers(here)
    const dropped = await strike(consumers, away, () => network.lose(100))
    console.info(`last pick of the cut-off one: ${dropped.toFixed(0)} ms`)
    expect(dropped).toBeLessThan(3000)
    network.lose(0)
    await here.healthy('echo', 3)
    await isPicked(consumers, away)
  })
})

describe('instances that pause 300 ms at random', () => {
  it('lose traffic for that time and nothing else: no removal, no damping, no failed call', async () => {
    const here = await openWorld()
    world = here
    const plan = { seconds: process.env.CI ? 20 : 10, instances: 8, rate: 100, pauseMs: 300, everyMs: 3000 }
    const found = await measurePauses(here, plan, () => {})
    console.info(
      `${found.busy} busy loops, ${found.stopped} stops; causes ${JSON.stringify(found.causes)}; p99 ${found.live.p99.toFixed(0)} ms beside ${found.fixed.p99.toFixed(0)} ms without reaction`,
    )
    expect(found.busy + found.stopped).toBeGreaterThan(10)
    expect(found.removed).toBe(0)
    expect(found.damped).toBe(0)
    expect(found.live.failed).toEqual([])
    await here.healthy('echo', plan.instances)
  })
})
