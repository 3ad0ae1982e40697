import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type InstanceSet, type Portolan } from '@portolan/client'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { getJson, Processes, type Program, until } from './processes.ts'

const processes = new Processes()
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await processes.endAll()
})

/** A registry in a process of its own, that can come back on the same port and data. */
class RegistryProcess {
  readonly url: string
  readonly #args: readonly string[]
  #program: Program | undefined

  constructor(port: number, directory: string) {
    this.url = `http://127.0.0.1:${port}`
    this.#args = ['test/e2e/programs/registry-alone.ts', directory, String(port)]
  }

  async start(): Promise<void> {
    const program = processes.node(this.#args)
    this.#program = program
    await until('the registry', () => {
      if (program.child.exitCode !== null) throw new Error(`it ended: ${program.output()}`)
      return program.output().includes('ready')
    })
  }

  kill(): Promise<number | null> | undefined {
    return this.#program?.end('SIGKILL')
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#program?.child.kill(signal)
  }
}

async function startRegistry(): Promise<RegistryProcess> {
  const registry = new RegistryProcess(await freePort(), processes.directory())
  await registry.start()
  return registry
}

async function client(url: string | readonly string[]): Promise<Portolan> {
  const portolan = await connect(url)
  ends.push(() => portolan.close({ graceMs: 200 }))
  return portolan
}

/** A program that answers with its name. */
async function startInstance(id: string): Promise<{ port: number; server: Server }> {
  const server = createServer((_, response) => response.end(id))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, server }
}

interface Listed {
  readonly instances: readonly { id: string; incarnation: number; causes: readonly { kind: string }[] }[]
}

const listed = (url: string, service: string) =>
  getJson<Listed>(`${url}/api/v1/services/${service}/instances`).then(({ instances }) => instances)

/** Calls on until told to stop; says how many calls there were and what went wrong. */
function load(call: () => Promise<unknown>): () => Promise<{ calls: number; failures: unknown[] }> {
  const failures: unknown[] = []
  let calls = 0
  let going = true
  const running = (async () => {
    while (going) {
      calls += 1
      await call().catch((thrown: unknown) => failures.push(thrown))
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    going = false
    await running
    return { calls, failures }
  }
}

describe('the client with a real registry', () => {
  it('registers, discovers, drains and leaves', async () => {
    const registry = await startRegistry()
    const [owner, caller] = [await client(registry.url), await client(registry.url)]
    const [a, b] = [await startInstance('a'), await startInstance('b')]
    const lease = await owner.register({ service: 'order', id: 'a', port: a.port })
    await owner.register({ service: 'order', id: 'b', port: b.port, tags: ['blue'] })

    const sets: InstanceSet[] = []
    const following = (async () => {
      for await (const set of caller.watch('order')) sets.push(set)
    })()
    const healthy = () => sets.at(-1)?.instances.filter(({ causes }) => causes.length === 0)
    await until('both instances', () => healthy()?.length === 2)
    const order = caller.service('order', { policy: 'round-robin' })
    const answers = new Set<string>()
    for (let call = 0; call < 10; call++) answers.add(await (await order.fetch('/')).text())
    expect(answers).toEqual(new Set(['a', 'b']))

    const stop = load(async () => (await order.fetch('/', { method: 'POST', body: 'x' })).text())
    const start = performance.now()
    await lease.close({ graceMs: 10_000 })
    // Acknowledged, not waited out.
    expect(performance.now() - start).toBeLessThan(5000)
    a.server.closeAllConnections()
    a.server.close()
    const { calls, failures } = await stop()
    expect(calls).toBeGreaterThan(0)
    expect(failures).toEqual([])
    expect((await listed(registry.url, 'order')).map(({ id }) => id)).toEqual(['b'])
    await caller.close()
    await following
  })

  it('a token that is none is refused with a reason', async () => {
    const registry = await startRegistry()
    await expect(connect(registry.url, { token: 'wrong' })).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it.each([
    [
      'SIGKILL',
      (registry: RegistryProcess) => registry.kill(),
      (registry: RegistryProcess) => registry.start(),
    ],
    [
      'SIGSTOP',
      (registry: RegistryProcess) => registry.signal('SIGSTOP'),
      (registry: RegistryProcess) => registry.signal('SIGCONT'),
    ],
  ])('%s of the registry fails no call, and everybody is back afterwards', async (_, strike, mend) => {
    const registry = await startRegistry()
    const [owner, caller] = [await client(registry.url), await client(registry.url)]
    for (const id of ['a', 'b', 'c']) {
      const { port } = await startInstance(id)
      await owner.register({ service: 'order', id, port })
    }
    const order = caller.service('order')
    await order.fetch('/')
    const picked = () => new Set(Array.from({ length: 50 }, () => order.pick().instance.id)).size
    await until('all have passed their first check', () => picked() === 3)
    const stop = load(async () => (await order.fetch('/')).text())
    await strike(registry)
    await until('both notice', () => !owner.connected && !caller.connected)
    await new Promise(resolve => setTimeout(resolve, 2000))
    expect(picked()).toBe(3)
    await mend(registry)
    await until('both are back', () => owner.connected && caller.connected)
    await until('all instances are healthy', async () => {
      const instances = await listed(registry.url, 'order')
      return instances.length === 3 && instances.every(({ causes }) => causes.length === 0)
    })
    const { calls, failures } = await stop()
    expect(calls).toBeGreaterThan(100)
    expect(failures).toEqual([])
  })

  it('registers anew with a registry that has lost everything', async () => {
    const port = await freePort()
    const first = new RegistryProcess(port, processes.directory())
    await first.start()
    const owner = await client(first.url)
    const { port: own } = await startInstance('a')
    await owner.register({ service: 'order', id: 'a', port: own })
    await first.kill()
    const second = new RegistryProcess(port, processes.directory())
    await second.start()
    await until('the registration', async () => (await listed(second.url, 'order')).length === 1)
  })
})
