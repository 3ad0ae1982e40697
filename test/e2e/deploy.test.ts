import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { connect, type Portolan } from '@portolan/client'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Load, type Sent, throughGateway } from './load.ts'
import { Processes, type Program, root, until } from './processes.ts'
import { healthyOf, instancesOf } from './shop-config.ts'

// Instances are replaced one after the other under load, each gone the moment it may go, in the middle of whatever it
// does. Nobody has to notice: through the gateway and through the SDK, with half of the requests not to be repeated.

const processes = new Processes()
const clients: Portolan[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.close({ graceMs: 0 })))
  await processes.endAll()
})

const programs = join(root, 'test/e2e/programs')
const abrupt = join(programs, 'abrupt.mjs')
const rate = 150
/** So long that a drain which waits for somebody who will never answer shows. */
const patience = ['--grace', '60s']

interface Harbour {
  readonly api: string
  readonly up: Program
  /** Writes the configuration anew; the server sees it by itself. */
  configure(services: string): void
  /** Puts load on both paths, replaces under it, and answers what came of it. */
  under(replace: () => Promise<void>): Promise<Outcome>
}

interface Outcome {
  readonly failed: readonly unknown[]
  readonly retries: number
  /** Drains that ended with the grace time, and those that ended because everybody had let go. */
  readonly drains: { readonly late: number; readonly released: number }
  /** What all of them took together. */
  readonly drainSeconds: number
  /** Who answered, by path. */
  readonly answeredBy: readonly ReadonlySet<string>[]
}

async function openHarbour(services: string): Promise<Harbour> {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const config = (text: string) => `api: { listen: ["127.0.0.1:${api}"] }
gateway:
  listen: 127.0.0.1:${gateway}
  admin: 127.0.0.1:${admin}
services:
${text}`
  const configure = (text: string) => processes.file('portolan.yaml', config(text), directory)
  const file = configure(services)
  const up = await processes.up(['--config', file, '--data', join(directory, 'data')])
  const url = `http://127.0.0.1:${api}`
  return {
    api: url,
    up,
    configure,
    async under(replace) {
      const agent = new Agent({ keepAlive: true, maxSockets: 50 })
      const viaGateway = throughGateway(agent, `http://127.0.0.1:${gateway}`, 'order.portolan')
      const client = await connect(url)
      clients.push(client)
      const viaClient = throughClient(client)
      await viaGateway(0)
      await viaClient(0)
      const loads = [viaGateway, viaClient].map(
        send => new Load(rate, number => send(number, number % 2 === 0 ? 'GET' : 'POST')),
      )
      await setTimeout(300)
      await replace()
      await setTimeout(300)
      await Promise.all(loads.map(load => load.stop()))
      agent.destroy()
      const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
      const registry = await (await fetch(`${url}/metrics`)).text()
      const drains = (what: string, released: boolean): number => {
        const line = new RegExp(
          `^portolan_registry_drain_seconds_${what}\\{released="${released}"\\} (.+)$`,
          'm',
        )
        return Number(line.exec(registry)?.[1] ?? 0)
      }
      return {
        failed: loads.flatMap(({ failed }) => failed),
        retries: Number(/^portolan_gateway_retries_total\{.*\} (\d+)$/m.exec(metrics)?.[1]),
        drains: { late: drains('count', false), released: drains('count', true) },
        drainSeconds: drains('sum', true),
        answeredBy: loads.map(({ answers }) => new Set(answers.map(({ instance }) => instance ?? '?'))),
      }
    },
  }
}

function throughClient(client: Portolan) {
  const order = client.service('order')
  return async (number: number, method = 'GET'): Promise<Sent> => {
    const response = await order.fetch(`/orders/${number}`, {
      method,
      ...(method === 'POST' && { body: '{}' }),
    })
    const { instance } = (await response.json()) as { instance?: string }
    return { status: response.status, instance, method }
  }
}

async function healthy(api: string, ids: readonly string[]): Promise<void> {
  await until(
    `${ids.join(' ')} healthy, and nobody else there`,
    async () => {
      const found = (await instancesOf(api, 'order')).map(({ id, causes }) =>
        causes.length === 0 ? id : `not ${id}`,
      )
      return found.sort().join(' ') === [...ids].sort().join(' ')
    },
    60_000,
  )
}

describe('a rolling replacement loses no request', () => {
  it('of supervised programs, by a reload of the configuration', async () => {
    const order = (colour: string) =>
      `  order: { run: { command: [node, ${abrupt}], replicas: 3, drainGrace: 60s, env: { COLOUR: ${colour} } } }\n`
    const harbour = await openHarbour(order('red'))
    const ids = ['order-1', 'order-2', 'order-3']
    await healthy(harbour.api, ids)
    const before = await healthyOf(harbour.api, 'order')
    const { failed, retries, drains, answeredBy } = await harbour.under(async () => {
      harbour.configure(order('blue'))
      await until('the new configuration', () => harbour.up.output().includes('loaded again'), 60_000)
    })
    expect(failed).toEqual([])
    expect(retries).toBe(0)
    // The spare one, too.
    expect(drains).toEqual({ late: 0, released: 4 })
    for (const ids of answeredBy)
      expect([...ids].sort()).toEqual(['order-1', 'order-2', 'order-3', 'order-4'])
    await healthy(harbour.api, ids)
    const after = await healthyOf(harbour.api, 'order')
    for (const { id, metadata } of after) {
      expect(metadata.pid).not.toBe(before.find(other => other.id === id)?.metadata.pid)
    }
  })

  it('of supervised programs that call each other, and leave without a word', async () => {
    const peer = join(programs, 'peer.ts')
    const order = (colour: string) =>
      `  order: { run: { command: [node, ${peer}], replicas: 2, drainGrace: 60s, env: { COLOUR: ${colour} } } }\n`
    const harbour = await openHarbour(order('red'))
    await healthy(harbour.api, ['order-1', 'order-2'])
    const { failed, drains, drainSeconds } = await harbour.under(async () => {
      harbour.configure(order('blue'))
      await until('the new configuration', () => harbour.up.output().includes('loaded again'), 100_000)
    })
    expect(failed).toEqual([])
    expect(drains).toEqual({ late: 0, released: 3 })
    // A lease, for which the broken session of each peer could be resumed, is 15 s.
    expect(drainSeconds).toBeLessThan(15)
  })

  it('of programs that register themselves, by lease.close()', async () => {
    const harbour = await openHarbour('  other: { expose: true }\n')
    const leaver = (id: string) => processes.node([join(programs, 'leaver.ts'), harbour.api, 'order', id])
    await replaceInTurn(harbour, leaver, old => old.end('SIGTERM'))
  })

  it('of programs under portolan run, by SIGTERM', async () => {
    const harbour = await openHarbour('  other: { expose: true }\n')
    await replaceInTurn(harbour, runUnder(harbour), old => old.end('SIGTERM'))
  })

  it('of programs that portolan drain has taken out, by SIGKILL', async () => {
    const harbour = await openHarbour('  other: { expose: true }\n')
    await replaceInTurn(harbour, runUnder(harbour), async (old, id) => {
      const drain = processes.portolan(['drain', 'order', id, '--url', harbour.api, ...patience])
      await until('the end of the drain', () => drain.child.exitCode !== null)
      expect([drain.child.exitCode, drain.output()]).toEqual([0, expect.any(String)])
      const [instance] = (await instancesOf(harbour.api, 'order')).filter(other => other.id === id)
      process.kill(Number(instance?.metadata.pid), 'SIGKILL')
      await until('the end of the program', () => old.child.exitCode !== null)
    })
  })
})

/** How to start an instance under `portolan run`. */
function runUnder({ api }: Harbour): (id: string) => Program {
  const options = ['--url', api, '--service', 'order', '--address', '127.0.0.1', ...patience]
  return id => processes.portolan(['run', ...options, '--id', id, '--', process.execPath, abrupt])
}

/** Two instances, each replaced by a successor that is there before. */
async function replaceInTurn(
  harbour: Harbour,
  start: (id: string) => Program,
  end: (old: Program, id: string) => Promise<unknown>,
): Promise<void> {
  const olds = ['old-1', 'old-2'].map(id => ({ id, program: start(id) }))
  await healthy(harbour.api, ['old-1', 'old-2'])
  const { failed, retries, drains, answeredBy } = await harbour.under(async () => {
    const present = new Set(['old-1', 'old-2'])
    for (const { id, program } of olds) {
      const successor = id.replace('old', 'new')
      start(successor)
      await healthy(harbour.api, [...present.add(successor)])
      await end(program, id)
      present.delete(id)
      await healthy(harbour.api, [...present])
    }
  })
  expect(failed).toEqual([])
  expect(retries).toBe(0)
  expect(drains).toEqual({ late: 0, released: 2 })
  for (const ids of answeredBy) expect([...ids].sort()).toEqual(['new-1', 'new-2', 'old-1', 'old-2'])
}
