import { describe, expect, it } from 'vitest'
import { fixture } from './testing/fixture.ts'
import { eventually } from './testing/harness.ts'

const { gatewayFor, httpUpstream, clientOf } = fixture()

const request = 'GET / HTTP/1.1\r\nHost: order.portolan\r\n\r\n'

describe('the policy of a service', () => {
  it('is the one that the route table names, from the next request on', async () => {
    const ports = await Promise.all(
      ['A', 'B', 'C'].map(name => httpUpstream((_, response) => void response.end(`<${name}>`))),
    )
    const { gateway } = await gatewayFor(ports)
    const client = clientOf(gateway.port)
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
    const busy = await httpUpstream((_, response) => void response.writeHead(429).end('<A>'))
    const others = await Promise.all(
      ['B', 'C', 'D'].map(name => httpUpstream((_, response) => void response.end(`<${name}>`))),
    )
    const { gateway } = await gatewayFor([busy, ...others])
    gateway.setRoutes({ routes: [], exposed: 'all', policies: { order: 'adaptive' } })
    const client = clientOf(gateway.port)
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
    const port = await httpUpstream((_, response) => void response.end('<A>'))
    const { gateway } = await gatewayFor([port])
    gateway.setRoutes(JSON.parse('{"routes":[],"exposed":"all","policies":{"order":"of-tomorrow"}}'))
    const client = clientOf(gateway.port)
    await client.send(request).until('<A>')
  })
})

describe('the key of a request', () => {
  it.each([
    ['header:X-User', (user: string) => `x-user: ${user}\r\n`],
    ['cookie:sid', (user: string) => `Cookie: a=b; sid=${user}; c=d\r\n`],
  ])('is what %s says: equal ones go to the same instance', async (hashBy, field) => {
    const names = ['A', 'B', 'C', 'D', 'E']
    const ports = await Promise.all(
      names.map(name => httpUpstream((_, response) => void response.end(`<${name}>`))),
    )
    const { gateway } = await gatewayFor(ports)
    const table = { routes: [], exposed: 'all', policies: { order: 'ring-hash' } } as const
    gateway.setRoutes({ ...table, balance: { order: { hashBy } } })
    const client = clientOf(gateway.port)
    const ask = async (fields: string): Promise<string> => {
      client.received = ''
      await client.send(`GET / HTTP/1.1\r\nHost: order.portolan\r\n${fields}\r\n`).until('>')
      return /<(.)>/.exec(client.received)?.[1] ?? ''
    }
    const homes = new Map<string, string>()
    for (let round = 0; round < 3; round++) {
      for (let user = 0; user < 20; user++) {
        const home = await ask(field(`u${user}`))
        expect(homes.get(`u${user}`) ?? home).toBe(home)
        homes.set(`u${user}`, home)
      }
    }
    expect(new Set(homes.values()).size).toBeGreaterThan(2)
    // Without a key, by chance; and without hashBy, whatever the request says.
    const keyless = new Set<string>()
    for (let i = 0; i < 40; i++) keyless.add(await ask(''))
    expect(keyless.size).toBeGreaterThan(2)
    gateway.setRoutes(table)
    const anywhere = new Set<string>()
    for (let i = 0; i < 40; i++) anywhere.add(await ask(field('u1')))
    expect(anywhere.size).toBeGreaterThan(2)
  })

  it('may be the address of the client', async () => {
    const ports = await Promise.all(
      ['A', 'B', 'C', 'D', 'E'].map(name => httpUpstream((_, response) => void response.end(`<${name}>`))),
    )
    const { gateway } = await gatewayFor(ports)
    gateway.setRoutes({
      routes: [],
      exposed: 'all',
      policies: { order: 'maglev' },
      balance: { order: { hashBy: 'address' } },
    })
    const homes = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const client = clientOf(gateway.port)
      await client.send(request).until('>')
      homes.add(/<(.)>/.exec(client.received)?.[1] ?? '')
    }
    expect(homes.size).toBe(1)
  })
})

describe('the bound of ring-hash', () => {
  /** Ten instances that answer nobody, and what each of them holds. */
  async function holding(hashBalanceFactor?: number) {
    const held = Array<number>(10).fill(0)
    const hold = (at: number) => () => {
      held[at] = (held[at] ?? 0) + 1
    }
    const ports = await Promise.all(held.map((_, at) => httpUpstream(hold(at))))
    const { gateway } = await gatewayFor(ports)
    const boundBy = (factor: number | undefined): void => {
      const order = {
        hashBy: 'header:X-User',
        ...(factor === undefined ? {} : { hashBalanceFactor: factor }),
      }
      gateway.setRoutes({ routes: [], exposed: 'all', policies: { order: 'ring-hash' }, balance: { order } })
    }
    boundBy(hashBalanceFactor)
    const sum = (): number => held.reduce((total, count) => total + count, 0)
    const send = async (count: number): Promise<void> => {
      const all = sum() + count
      const hot = 'GET / HTTP/1.1\r\nHost: order.portolan\r\nX-User: hot\r\n\r\n'
      for (let i = 0; i < count; i++) clientOf(gateway.port).send(hot)
      await eventually(
        () => sum() === all,
        () => held.join(' '),
      )
    }
    return { send, boundBy, most: () => Math.max(...held) }
  }

  // One hot key, 80 requests under way: the share of each is 8, the strict bound 10.
  it('is strict where the table has a factor', async () => {
    const { send, most } = await holding(1.25)
    await send(80)
    expect(most()).toBe(10)
  })

  it('lets pass what chance makes where it has none', async () => {
    const { send, most } = await holding()
    await send(80)
    expect(most()).toBe(18)
  })

  it('changes with the table, and counts what is under way already', async () => {
    const { send, boundBy, most } = await holding(1)
    await send(40)
    expect(most()).toBe(4)
    boundBy(undefined)
    await send(6)
    expect(most()).toBe(10)
    boundBy(1.25)
    await send(6)
    expect(most()).toBe(10)
  })
})
