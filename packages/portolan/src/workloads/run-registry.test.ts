import { afterEach, describe, expect, it } from 'vitest'
import { openTested, type Tested } from '../api/testing/open-tested.ts'
import { hasEnded, readProcess } from './proc-table.ts'
import { programCommand, until } from './testing/quay.ts'
import { endRunners, run } from './testing/start-runner.ts'

const opened: Tested[] = []

async function openServer(): Promise<Tested> {
  const server = await openTested({ found: 'refused' })
  opened.push(server)
  return server
}

afterEach(async () => {
  endRunners()
  await Promise.all(opened.splice(0).map(server => server.close()))
})

const name = { namespace: 'default', service: 'order', id: 'order-9' }

describe('portolan run and a real registry', () => {
  it('holds the instance while the program runs, and takes it out the moment the program is killed', async () => {
    const { url, registry } = await openServer()
    const of = run({ session: url, id: name.id }, programCommand())
    const instance = await until(() => registry.find(name))
    expect(instance).toMatchObject({ addresses: ['127.0.0.1'], tags: ['blue'], causes: [] })
    const killedAt = performance.now()
    process.kill(Number(instance.metadata.pid), 'SIGKILL')
    await until(() => registry.find(name) === undefined)
    expect(performance.now() - killedAt).toBeLessThan(500)
    expect(await of.exit).toEqual([128 + 9, null])
  })

  it('drains the instance before the program hears of the signal', async () => {
    const { url, registry } = await openServer()
    const of = run({ session: url, id: name.id, drainGraceMs: 60_000 }, programCommand())
    const { metadata } = await until(() => registry.find(name))
    // Somebody who picks by what it hears, and has not yet heard enough to let go.
    const watcher = registry.subscribe(name, undefined, () => true, { who: 'picker' })
    of.child.kill('SIGTERM')
    const { incarnation } = await until(() => {
      const found = registry.find(name)
      return found?.causes.some(({ kind }) => kind === 'draining') ? found : undefined
    })
    expect(hasEnded(readProcess(Number(metadata.pid)))).toBe(false)
    watcher.acknowledge(registry.view(name).cursor)
    watcher.idle(name.id, incarnation)
    expect(await of.exit).toEqual([128 + 15, null])
    expect(registry.find(name)).toBeUndefined()
    watcher.close()
  })

  it('says once that no registry answers, and once that one is back', async () => {
    const first = await openServer()
    const { port } = first
    await Promise.all(opened.splice(0).map(server => server.close()))
    const of = run({ session: `http://127.0.0.1:${port}`, id: name.id }, programCommand())
    await until(() => of.said().length > 0)
    // Long enough for several more attempts.
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(of.said()).toEqual([
      expect.stringMatching(/^portolan: no registry answers .*ECONNREFUSED.* runs on$/),
    ])
    const second = await openTested({ settings: { listen: [{ host: '127.0.0.1', port }] } })
    opened.push(second)
    await until(() => second.registry.find(name))
    expect(of.said().slice(1)).toEqual(['portolan: the registry is back'])
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 15, null])
    expect(of.said()).toHaveLength(2)
  })

  it('says nothing of a refusal when the program ends before any registry answered', async () => {
    const { port } = await openServer()
    await Promise.all(opened.splice(0).map(server => server.close()))
    const of = run({ session: `http://127.0.0.1:${port}` }, programCommand())
    await until(() => of.said().length > 0)
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 15, null])
    expect(of.said()).toEqual([expect.stringContaining('no registry answers')])
  })

  it('keeps the program when the registry goes away', async () => {
    const { url, registry } = await openServer()
    const of = run({ session: url, id: name.id }, programCommand('shout'))
    const { metadata } = await until(() => registry.find(name))
    await Promise.all(opened.splice(0).map(server => server.close()))
    expect(hasEnded(readProcess(Number(metadata.pid)))).toBe(false)
    of.child.kill('SIGTERM')
    expect(await of.exit).toEqual([128 + 15, null])
  })
})
