import { existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { WorkloadDefinition } from './definition.ts'
import { hasEnded, readProcess } from './proc-table.ts'
import type { WorkloadsOptions } from './supervisor.ts'
import { openQuay, programCommand, service, until } from './testing/quay.ts'

type Quay = Awaited<ReturnType<typeof openQuay>>
const open: Quay[] = []

async function supervise(
  definitions: WorkloadDefinition[],
  more: Partial<WorkloadsOptions> = {},
): Promise<Quay> {
  const quay = await openQuay(definitions, more)
  open.push(quay)
  return quay
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(quay => quay.leave()))
})

const running = (quay: Quay, id: string) =>
  until(() => {
    const state = quay.state(id)
    return state?.phase === 'running' ? state : undefined
  })

interface Answer {
  readonly env: Record<string, string>
  readonly pid: number
  readonly cwd: string
}

async function ask(port: number | undefined): Promise<Answer> {
  return (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as Answer
}

describe('what a program gets', () => {
  it('is its port, its name, its token and the registry, and nothing of the server’s secrets', async () => {
    const quay = await supervise([service('order', { env: { GREETING: 'ahoy' }, cwd: '/' })], {
      env: {
        ...process.env,
        DATABASE_PASSWORD: 'secret',
        PORTOLAN_TOKEN: 'the server’s own',
        NODE_UNIQUE_ID: '3',
      },
    })
    const { port, pid } = await running(quay, 'order-1')
    const answer = await ask(port)
    expect(answer.env).toMatchObject({
      PORT: String(port),
      PORTOLAN_URL: 'http://127.0.0.1:7400',
      PORTOLAN_SERVICE: 'order',
      PORTOLAN_INSTANCE: 'order-1',
      PORTOLAN_TOKEN: 'token-order-1-1',
      GREETING: 'ahoy',
      PATH: process.env.PATH,
    })
    expect(answer.env.DATABASE_PASSWORD).toBeUndefined()
    expect(answer.env.NODE_UNIQUE_ID).toBeUndefined()
    expect(answer).toMatchObject({ pid, cwd: '/' })
    expect(readProcess(pid ?? 0)?.group).toBe(pid)
  })

  it('is registered with its pid when the port opens, and not before', async () => {
    const quay = await supervise([
      service('order', { service: { service: 'order', zone: 'a', tags: ['blue'] } }),
      service('quiet', { command: programCommand('mute') }),
    ])
    const { port, pid } = await running(quay, 'order-1')
    expect(quay.said[0]?.registration).toMatchObject({
      namespace: 'default',
      service: 'order',
      id: 'order-1',
      addresses: ['127.0.0.1'],
      ports: [{ name: 'http', number: port, protocol: 'http', tls: false }],
      weight: 1,
      zone: 'a',
      tags: ['blue'],
      metadata: { pid: String(pid) },
    })
    expect(quay.state('quiet-1')?.phase).toBe('starting')
    expect(quay.said.filter(({ id }) => id === 'quiet-1')).toEqual([])
  })

  it('is a port of its own for each of many that start together', async () => {
    const quay = await supervise([service('order', { replicas: 8, command: programCommand('mute') })])
    await until(() => quay.workloads.states().every(({ phase }) => phase === 'starting'))
    expect(new Set(quay.workloads.states().map(({ port }) => port)).size).toBe(8)
  })
})

describe('when a program ends', () => {
  it('is deregistered at once, and started again with the same id, port and token', async () => {
    const quay = await supervise([service('order')])
    const before = await running(quay, 'order-1')
    const killedAt = performance.now()
    process.kill(before.pid ?? 0, 'SIGKILL')
    const departed = await until(() => quay.said.find(({ what }) => what === 'departed'))
    expect(departed.at - killedAt).toBeLessThan(500)
    const after = await until(() => {
      const state = quay.state('order-1')
      return state?.phase === 'running' && state.pid !== before.pid ? state : undefined
    })
    expect(after).toMatchObject({ port: before.port, starts: 2, failures: 1 })
    expect(after.lastExit).toMatchObject({ signal: 'SIGKILL', code: null, asked: false })
    expect((await ask(after.port)).env.PORTOLAN_TOKEN).toBe('token-order-1-1')
    expect(quay.said.map(({ what }) => what)).toEqual(['register', 'departed', 'register'])
  })

  it('shows a crash loop: exit code, last words, back-off', async () => {
    const quay = await supervise([service('order', { command: programCommand('exit=3') })], {
      timing: { backoffMinMs: 5, backoffMaxMs: 20 },
    })
    const state = await until(() => {
      const state = quay.state('order-1')
      return (state?.failures ?? 0) >= 3 && state?.phase === 'backoff' && state.lastExit?.tail
        ? state
        : undefined
    })
    expect(state.lastExit).toMatchObject({ code: 3, signal: null, tail: 'last words order-1' })
    expect(state.nextStartInMs).toBeLessThanOrEqual(20)
    expect(quay.said.every(({ what }) => what === 'departed')).toBe(true)
    expect(await quay.metrics.metrics()).toMatch(
      /portolan_workload_exits_total\{workload="order",asked="false"\} \d/,
    )
  })

  it('says what is wrong with a command that cannot be started, and with a port that is taken', async () => {
    const taken = createServer()
    const port = await new Promise<number>(resolve => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
    })
    const quay = await supervise([
      service('absent', { command: ['/no/such/program'] }),
      service('late', { port }),
    ])
    const absent = await until(() => quay.state('absent-1')?.lastExit)
    const late = await until(() => quay.state('late-1')?.lastExit)
    taken.close()
    expect(absent.error).toContain('"/no/such/program"')
    expect(late.error).toBe(`port ${port} is in use`)
    expect(await running(quay, 'late-1')).toMatchObject({ port })
  })

  it('ends what it left behind in its group before the next start', async () => {
    const quay = await supervise([
      service('order', { command: programCommand('fork-and-leave'), stopGraceMs: 50 }),
    ])
    const first = await until(() => /child (\d+)/.exec(quay.state('order-1')?.lastExit?.tail ?? '')?.[1])
    await until(() => (quay.state('order-1')?.starts ?? 0) > 1)
    expect(hasEnded(readProcess(Number(first)))).toBe(true)
  })
})

describe('stopping', () => {
  it('drains, then asks, then kills', async () => {
    let drained = (): void => {}
    const drain = () =>
      new Promise<void>(resolve => {
        drained = resolve
      })
    const quay = await supervise(
      [service('order', { command: programCommand('ignore-term'), stopGraceMs: 200 })],
      {
        registrar: { drain, register: async () => {}, departed: async () => {} },
      },
    )
    const { pid } = await running(quay, 'order-1')
    const stopped = quay.workloads.setReplicas('order', 0)
    await until(() => quay.said.some(({ what }) => what === 'drain'))
    expect(quay.output('order-1')).toBe('')
    expect(quay.state('order-1')?.phase).toBe('draining')
    drained()
    await until(() => quay.output('order-1') === 'no\n')
    await stopped
    expect(readProcess(pid ?? 0)).toBeUndefined()
    expect(quay.said.map(({ what }) => what)).toEqual(['register', 'drain', 'departed'])
    expect(quay.workloads.states()).toEqual([])
    expect(await quay.ledger.load()).toEqual([])
  })

  it('ends the programs that a program has started', async () => {
    const quay = await supervise([service('order', { command: programCommand('fork') })])
    await running(quay, 'order-1')
    const child = Number(/child (\d+)/.exec(quay.output('order-1'))?.[1])
    expect(hasEnded(readProcess(child))).toBe(false)
    await quay.workloads.close()
    expect(hasEnded(readProcess(child))).toBe(true)
  })

  it('kills at once at a second close, whatever is under way', async () => {
    const quay = await supervise(
      [
        service('order', {
          command: programCommand('ignore-term'),
          stopGraceMs: 60_000,
          drainGraceMs: 60_000,
        }),
      ],
      {
        registrar: { drain: () => new Promise(() => {}), register: async () => {}, departed: async () => {} },
      },
    )
    const { pid } = await running(quay, 'order-1')
    const gentle = quay.workloads.close()
    await until(() => quay.state('order-1')?.phase === 'draining')
    await Promise.all([gentle, quay.workloads.close({ now: true })])
    expect(readProcess(pid ?? 0)).toBeUndefined()
  })

  it('bounds the output of a program that does not stop talking', async () => {
    const maxLogBytes = 256 * 1024
    const quay = await supervise([service('order', { command: programCommand('flood') })], { maxLogBytes })
    await running(quay, 'order-1')
    const log = quay.state('order-1')?.log ?? ''
    await until(() => existsSync(`${log}.1`))
    expect(statSync(`${log}.1`).size).toBeLessThanOrEqual(maxLogBytes)
    process.kill(-(quay.state('order-1')?.pid ?? 0), 'SIGSTOP')
    await until(() => statSync(log).size <= maxLogBytes)
    process.kill(-(quay.state('order-1')?.pid ?? 0), 'SIGCONT')
  })
})

describe('the number of copies', () => {
  it('grows by the lowest free ids and shrinks by the highest', async () => {
    const quay = await supervise([service('order', { replicas: 2 })])
    await Promise.all([running(quay, 'order-1'), running(quay, 'order-2')])
    await quay.workloads.setReplicas('order', 4)
    await Promise.all([running(quay, 'order-3'), running(quay, 'order-4')])
    await quay.workloads.setReplicas('order', 1)
    expect(quay.workloads.states().map(({ id }) => id)).toEqual(['order-1'])
    expect(quay.said.flatMap(({ what, id }) => (what === 'drain' ? [id] : []))).toEqual([
      'order-4',
      'order-3',
      'order-2',
    ])
    await quay.workloads.setReplicas('order', 2)
    await running(quay, 'order-2')
  })

  it('is answered when a copy that is being stopped is wanted again', async () => {
    const quay = await supervise([service('order', { replicas: 2 })])
    const { pid } = await running(quay, 'order-2')
    const shrunk = quay.workloads.setReplicas('order', 1)
    await quay.workloads.setReplicas('order', 2)
    await shrunk
    const again = await until(() => {
      const state = quay.state('order-2')
      return state?.phase === 'running' && state.pid !== pid ? state : undefined
    })
    expect(again.failures).toBe(0)
  })

  it('is refused where it makes no sense', async () => {
    const quay = await supervise([service('order', { port: 1, replicas: 0 })])
    await expect(quay.workloads.setReplicas('nobody', 1)).rejects.toMatchObject({ code: 'service_not_found' })
    await expect(quay.workloads.setReplicas('order', -1)).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(quay.workloads.setReplicas('order', 2)).rejects.toThrow('2 copies cannot share port 1')
  })
})

describe('other definitions', () => {
  it('start what is new, end what is gone, and replace what has changed, one after the other', async () => {
    const quay = await supervise([service('order', { replicas: 2 }), service('cart'), service('payment')])
    const cart = await running(quay, 'cart-1')
    await Promise.all([running(quay, 'order-1'), running(quay, 'order-2'), running(quay, 'payment-1')])
    quay.said.splice(0)
    await quay.workloads.apply([
      service('order', { replicas: 2, env: { COLOUR: 'blue' } }),
      service('cart'),
      service('stock'),
    ])
    const steps = quay.said.filter(({ id }) => id.startsWith('order')).map(({ what, id }) => `${what} ${id}`)
    const ended = (id: string) => [`drain ${id}`, `departed ${id}`]
    const replaced = (id: string) => [...ended(id), `register ${id}`]
    // A spare comes first and goes last, so that there are never fewer than two.
    expect(steps).toEqual([
      'register order-3',
      ...replaced('order-1'),
      ...replaced('order-2'),
      ...ended('order-3'),
    ])
    expect(quay.state('order-3')).toBeUndefined()
    const { port } = await running(quay, 'order-2')
    expect((await ask(port)).env.COLOUR).toBe('blue')
    expect((await running(quay, 'cart-1')).pid).toBe(cart.pid)
    await running(quay, 'stock-1')
    expect(quay.state('payment-1')).toBeUndefined()
  })

  it('that do not come up leave all copies as they were', async () => {
    const quay = await supervise([service('order', { replicas: 2 })])
    const [first, second] = [await running(quay, 'order-1'), await running(quay, 'order-2')]
    const applied = quay.workloads.apply([
      service('order', { replicas: 2, command: programCommand('exit=3') }),
    ])
    await expect(applied).rejects.toMatchObject({ code: 'workload_failed' })
    expect(quay.workloads.states().map(({ phase, pid }) => [phase, pid])).toEqual([
      ['running', first.pid],
      ['running', second.pid],
    ])
    await quay.workloads.apply([service('order', { replicas: 2 })])
    expect(quay.state('order-2')?.pid).toBe(second.pid)
  })

  it('replace nothing before the spare has traffic', async () => {
    let obstacle: string | undefined = 'starting: its check has not run yet'
    const quay = await supervise([service('order')], {
      obstacle: ({ id }) => (id === 'order-2' ? obstacle : undefined),
    })
    const { pid } = await running(quay, 'order-1')
    const applied = quay.workloads.apply([service('order', { env: { COLOUR: 'blue' } })])
    await running(quay, 'order-2')
    await setTimeout(100)
    expect(quay.state('order-1')).toMatchObject({ phase: 'running', pid })
    obstacle = undefined
    await applied
    expect(quay.state('order-1')?.pid).not.toBe(pid)
    expect(quay.workloads.states()).toHaveLength(1)
  })

  it('take the place of others that are still on their way', async () => {
    const quay = await supervise([service('order', { replicas: 2 })])
    await Promise.all([running(quay, 'order-1'), running(quay, 'order-2')])
    const never = quay.workloads.apply([service('order', { replicas: 2, command: programCommand('mute') })])
    await until(() => quay.state('order-3')?.phase === 'starting')
    await quay.workloads.apply([service('order', { replicas: 2, env: { COLOUR: 'blue' } })])
    await never
    expect(quay.workloads.states().map(({ id }) => id)).toEqual(['order-1', 'order-2'])
    for (const { port } of quay.workloads.states()) expect((await ask(port)).env.COLOUR).toBe('blue')
  })

  it('replace what has a fixed port without a spare', async () => {
    const probe = createServer()
    const port = await new Promise<number>(resolve => {
      probe.listen(0, '127.0.0.1', () => resolve((probe.address() as { port: number }).port))
    })
    await new Promise(resolve => probe.close(resolve))
    const quay = await supervise([service('order', { port })])
    await running(quay, 'order-1')
    quay.said.splice(0)
    await quay.workloads.apply([service('order', { port, env: { COLOUR: 'blue' } })])
    expect(quay.said.map(({ what, id }) => `${what} ${id}`)).toEqual([
      'drain order-1',
      'departed order-1',
      'register order-1',
    ])
  })

  it('keep the number of copies that was set meanwhile, unless theirs has changed', async () => {
    const quay = await supervise([service('order')])
    await quay.workloads.setReplicas('order', 3)
    await quay.workloads.apply([service('order')])
    expect(quay.workloads.states()).toHaveLength(3)
    await quay.workloads.apply([service('order', { replicas: 2 })])
    expect(quay.workloads.states()).toHaveLength(2)
    await expect(quay.workloads.apply([service('order'), service('order')])).rejects.toThrow(
      'two workloads "order"',
    )
  })
})

describe('a program that is no service', () => {
  it('runs without port and registration, and is started again', async () => {
    const quay = await supervise([
      {
        name: 'gateway',
        command: programCommand('mute'),
        secrets: async () => ({ PORTOLAN_TOKEN: 'given' }),
      },
    ])
    const { pid, port } = await running(quay, 'gateway')
    expect(port).toBeUndefined()
    process.kill(pid ?? 0, 'SIGKILL')
    await until(() => quay.state('gateway')?.starts === 2)
    expect(quay.said).toEqual([])
  })
})
