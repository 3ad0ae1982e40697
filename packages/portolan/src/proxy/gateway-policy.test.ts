import { afterEach, describe, expect, it } from 'vitest'
import { gatewayFor, httpUpstream, Opened, RawClient } from './testing/harness.ts'

const opened = new Opened()
afterEach(() => opened.close())

const request = 'GET / HTTP/1.1\r\nHost: order.portolan\r\n\r\n'

describe('the policy of a service', () => {
  it('is the one that the route table names, from the next request on', async () => {
    const ports = await Promise.all(
      ['A', 'B', 'C'].map(name => httpUpstream(opened, (_, response) => void response.end(`<${name}>`))),
    )
    const { gateway } = await gatewayFor(opened, ports)
    const client = new RawClient(opened, gateway.port)
    const ask = async (): Promise<string> => {
      client.received = ''
      await client.send(request).until('>')
      return /<(.)>/.exec(client.received)?.[1] ?? ''
    }
    await ask()
    gateway.setRoutes({ routes: [], exposed: 'all', policies: { order: 'round-robin' } })
    const turns: string[] = []
    for (let i = 0; i < 30; i++) turns.push(await ask())
    for (let i = 0; i < 30; i += 3) expect(new Set(turns.slice(i, i + 3)).size).toBe(3)
    gateway.setRoutes({ routes: [], exposed: 'all' })
    expect(['A', 'B', 'C']).toContain(await ask())
  })

  it('that learns sends little to who turns requests away, and ejects nobody for it', async () => {
    const busy = await httpUpstream(opened, (_, response) => void response.writeHead(429).end('<A>'))
    const others = await Promise.all(
      ['B', 'C', 'D'].map(name => httpUpstream(opened, (_, response) => void response.end(`<${name}>`))),
    )
    const { gateway } = await gatewayFor(opened, [busy, ...others])
    gateway.setRoutes({ routes: [], exposed: 'all', policies: { order: 'adaptive' } })
    const client = new RawClient(opened, gateway.port)
    const ask = async (): Promise<string> => {
      client.received = ''
      await client.send(request).until('>')
      return /<(.)>/.exec(client.received)?.[1] ?? ''
    }
    const answers: string[] = []
    const few = (): boolean =>
      answers.length >= 200 && answers.slice(-200).filter(name => name === 'A').length <= 4
    const until = performance.now() + 10_000
    while (!few() && performance.now() < until) answers.push(await ask())
    expect(answers).toContain('A')
    expect(few()).toBe(true)
  })

  it('is the gateway’s own where the table names one that it does not have', async () => {
    const port = await httpUpstream(opened, (_, response) => void response.end('<A>'))
    const { gateway } = await gatewayFor(opened, [port])
    gateway.setRoutes(JSON.parse('{"routes":[],"exposed":"all","policies":{"order":"of-tomorrow"}}'))
    const client = new RawClient(opened, gateway.port)
    await client.send(request).until('<A>')
  })
})
