import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { startOf } from './alive.ts'
import { Faults } from './faults.ts'
import { describeInNamespaces } from './namespaced.ts'
import { script } from './program.ts'

let faults = new Faults()
afterEach(async () => {
  await faults.undo()
  faults = new Faults()
})

const netns = (): string => spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout

function reaches(host: string, port: number, withinMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, noDelay: true })
    const settle = (result: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => settle(false), withinMs)
    socket.on('connect', () => settle(true)).on('error', () => settle(false))
  })
}

describeInNamespaces('a network namespace', () => {
  it('holds a program, loses its packets as told, and is removed with it', async () => {
    const namespace = faults.namespace('198.19.200.0/24')
    const program = faults.start(script('instance'), ['-', 'echo', 'i-1', '0.0.0.0'], { namespace })
    const port = await program.line(line => Number(/^ready \S+ \S+ (\d+)/.exec(line)?.[1]) || undefined)
    expect(await program.ask('served')).toBe(0)
    expect(await reaches(namespace.inside, port, 1000)).toBe(true)
    expect(await reaches('198.19.200.77', port, 1000)).toBe(true)

    namespace.lose(100)
    expect(await reaches(namespace.inside, port, 300)).toBe(false)
    expect(namespace.counted().asked).toBe(1)
    expect(namespace.counted().in).toBeGreaterThanOrEqual(1)

    namespace.lose(30)
    const tries = await Promise.all(Array.from({ length: 300 }, () => reaches(namespace.inside, port, 500)))
    const failed = tries.filter(reached => !reached).length
    // 1 - 0.7² = 51 % of first attempts; the kernel's second comes after a second.
    expect(failed).toBeGreaterThan(100)
    expect(failed).toBeLessThan(210)

    namespace.lose(0)
    expect(await reaches(namespace.inside, port, 1000)).toBe(true)
    expect(netns()).toContain(namespace.name)
    await faults.undo()
    expect(netns()).not.toContain(namespace.name)
  })

  it('of a dead process is removed by the next injector, with all that runs in it', async () => {
    const leaver = new URL('./programs/leaver.ts', import.meta.url).pathname
    const program = faults.start(leaver, [])
    const [name, pid] = await program.line(line => /^(portolan-fault-\S+) (\d+)$/.exec(line)?.slice(1))
    await program.end('SIGKILL')
    expect(netns()).toContain(name)
    new Faults()
    expect(netns()).not.toContain(name)
    await expect.poll(() => startOf(Number(pid))).toBeUndefined()
  })
})
