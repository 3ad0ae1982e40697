import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually, Opened, RawClient } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { freePort } from '../ports.ts'
import { Processes, until } from './processes.ts'

const processes = new Processes()
const opened = new Opened()
afterEach(async () => {
  await opened.close()
  await processes.endAll()
})

const get = 'GET / HTTP/1.1\r\nHost: order.portolan\r\n\r\n'

/** An instance that answers when it is told to; a registry whose file names it; and a gateway that has joined that. */
async function world(service: string, gateway: string) {
  const waiting: ServerResponse[] = []
  const server = createServer((_, response) => waiting.push(response)).listen(0, '127.0.0.1')
  opened.add(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [api, listen, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const text = (own: string, limits: string): string => `
api: { listen: ["127.0.0.1:${api}"] }
gateway: { limits: { ${limits} } }
services:
  order:
    instances: [127.0.0.1:${port}]
    ${own}
`
  const file = processes.file('portolan.yaml', text(service, gateway), directory)
  await processes.up(['--config', file, '--data', `${directory}/data`, '--roles', 'registry'])
  const url = `http://127.0.0.1:${api}`
  const lb = processes.portolan([
    'lb',
    ...['--join', url, '--listen', `127.0.0.1:${listen}`, '--admin', `127.0.0.1:${admin}`],
  ])
  await until('the gateway', () => lb.output().includes('joined'), 60_000)
  return {
    pid: lb.pid,
    waiting,
    client: () => new RawClient(opened, listen),
    answer: () => waiting.shift()?.end('hello'),
    rewrite: (own: string, limits: string) => writeFileSync(file, text(own, limits)),
    metric: async (line: string): Promise<string | undefined> => {
      const shown = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
      return shown
        .split('\n')
        .find(each => each.startsWith(line))
        ?.slice(line.length + 1)
    },
  }
}

describe('what the file allows', () => {
  it('holds for gateways, and changes with the file', async () => {
    const { waiting, client, answer, rewrite, metric } = await world(
      'circuitBreaker: { connections: 1, pending: 0 }',
      'connections: 3',
    )
    client().send(get)
    await eventually(() => waiting.length === 1)
    const second = client().send(get)
    await second.until('Portolan-Error: too_many_pending')
    rewrite('circuitBreaker: { connections: 1, pending: 5, queueTimeout: 30s }', 'connections: 4')
    await until(
      'the new limits',
      async () => (await metric('portolan_gateway_limit{limit="connections"}')) === '4',
    )
    second.received = ''
    second.send(get)
    await until('the queue', async () => (await metric('portolan_gateway_pending{service="order"}')) === '1')
    answer()
    await eventually(() => waiting.length === 1)
    answer()
    await second.until('hello')
    const [third, fourth] = [client(), client()]
    await until('four', async () => (await metric('portolan_gateway_connections')) === '4')
    expect(await client().send(get).untilEnd()).toContain('too_many_clients')
    expect([third.ended, fourth.ended]).toEqual([false, false])
  })
})

describe('descriptors', () => {
  it('that run out cost nobody a request who is there, and nobody the gateway', async () => {
    const { pid, waiting, client, answer, metric } = await world('', '')
    const first = client().send(get)
    await eventually(() => waiting.length === 1)
    answer()
    await first.until('hello')
    expect(spawnSync('prlimit', ['--pid', String(pid), '--nofile=100:100']).status).toBe(0)
    await until(
      'the count',
      async () => (await metric('portolan_gateway_limit{limit="descriptors"}')) === '100',
    )
    const crowd = Array.from({ length: 150 }, () => client().send(get))
    const isOver = ({ ended, closed }: RawClient): boolean => ended || closed
    await until('the crowd', () => crowd.filter(isOver).length >= 50)
    await until('answers', () => {
      while (answer() !== undefined);
      return crowd.every(each => isOver(each) || each.received.includes('\r\n\r\n'))
    })
    const served = crowd.filter(({ received }) => received.includes('hello'))
    expect(served.length).toBeGreaterThan(10)
    // Of a crowd that comes at once the system may close all those for whom there is no room; one at a time they are told.
    await until('a refusal', async () => {
      const late = client().send(get)
      crowd.push(late)
      await until('its answer', () => {
        while (answer() !== undefined);
        return isOver(late) || late.received.includes('\r\n\r\n')
      })
      return late.received.includes('too_many_clients')
    })
    // Those that were there before are served all the same.
    first.received = ''
    first.send(get)
    await until('the first one', () => {
      answer()
      return first.received.includes('hello')
    })
    for (const each of crowd) each.socket.destroy()
    await until('room', async () => Number(await metric('portolan_gateway_connections')) <= 1)
    const last = client().send(get)
    await until('the last one', () => {
      answer()
      return last.received.includes('hello')
    })
    expect(Number(await metric('portolan_gateway_limit_struck_total{limit="descriptors"}'))).toBeGreaterThan(
      0,
    )
  })
})
