import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWith } from './components.ts'
import { type Dug, dig } from './dig.ts'
import { type DnsWorld, measureChanges, openDns, startTrio, tell } from './dns-world.ts'
import { until } from './processes.ts'

const size = ({ whole }: Dug): number => Number(/MSG SIZE {2}rcvd: (\d+)/.exec(whole)?.[1])
/** One of several questions to one `dig`, each of which has to say where it goes. */
const at = (...question: readonly string[]): string[] => [...question, '@127.0.0.1']
const data = ({ answer }: Dug): string[] => answer.map(({ data }) => data).sort()

describeWith(['dig'], 'dig', () => {
  let world: DnsWorld
  const ask = (...args: readonly string[]): Promise<Dug> => dig(world.port, ...args)

  beforeAll(async () => {
    world = await openDns()
    const http = { name: 'http', number: 8080 }
    const order = { service: 'order', checks: [] }
    await world.register({
      ...order,
      id: 'order-1',
      addresses: ['10.0.0.5', 'fd00::5'],
      ports: [http, { name: 'metrics', number: 9090 }],
      zone: 'a',
      version: '1.4',
      tags: ['canary'],
      metadata: { team: 'orders' },
    })
    await world.register({
      ...order,
      id: 'order-2',
      address: '10.0.0.6',
      ports: [8081],
      zone: 'b',
      weight: 3,
    })
    await world.register({ ...order, service: 'cart', id: 'Cart_1', address: '10.0.0.7', ports: [8082] })
    const crowd = Array.from({ length: 120 }, (_, i) => ({ id: `c-${i}`, address: `10.1.0.${i}`, port: 80 }))
    await Promise.all(crowd.map(one => world.register({ ...order, service: 'crowd', ...one })))
    await until('all of the crowd', async () => (await ask('+tcp', 'crowd.portolan')).answer.length === 120)
    await until('the cart', async () => data(await ask('cart.portolan')).join() === '10.0.0.7')
  })
  afterAll(() => world?.close())

  it('reads addresses, with authority and a TTL of a second', async () => {
    const a = await ask('order.portolan')
    expect(data(a)).toEqual(['10.0.0.5', '10.0.0.6'])
    expect(a).toMatchObject({ status: 'NOERROR', flags: expect.stringMatching(/^qr aa rd/) })
    expect(a.answer[0]).toMatchObject({ name: 'order.portolan.', ttl: 1, type: 'A' })
    expect(data(await ask('AAAA', 'order.portolan'))).toEqual(['fd00::5'])
    expect(data(await ask('+norec', '+noedns', 'order.portolan'))).toEqual(['10.0.0.5', '10.0.0.6'])
  })

  it('reads those of a zone, of a tag, of a namespace', async () => {
    expect(data(await ask('order.a.portolan'))).toEqual(['10.0.0.5'])
    expect(data(await ask('order.b.default.ns.portolan'))).toEqual(['10.0.0.6'])
    expect(data(await ask('canary.tag.order.portolan'))).toEqual(['10.0.0.5'])
    expect(data(await ask('canary.order.service.consul'))).toEqual(['10.0.0.5'])
    expect(data(await ask('order.service.dc1.consul'))).toEqual(['10.0.0.5', '10.0.0.6'])
  })

  it('reads SRV records with the addresses of their targets beside them', async () => {
    const srv = await ask('SRV', '_order._tcp.portolan')
    expect(data(srv)).toEqual([
      '0 1 8080 order-1.instance.order.portolan.',
      '0 3 8081 order-2.instance.order.portolan.',
    ])
    expect(srv.additional.map(({ name, type, data }) => `${name} ${type} ${data}`).sort()).toEqual([
      'order-1.instance.order.portolan. A 10.0.0.5',
      'order-1.instance.order.portolan. AAAA fd00::5',
      'order-2.instance.order.portolan. A 10.0.0.6',
    ])
    expect(data(await ask('SRV', '_metrics._tcp.order.portolan'))).toEqual([
      '0 1 9090 order-1.instance.order.portolan.',
    ])
  })

  it('finds each target of an SRV record at exactly its instance', async () => {
    for (const [service, domain] of [
      ['_order._tcp.portolan', 'portolan.'],
      ['_cart._tcp.portolan', 'portolan.'],
      ['_order._tcp.service.consul', 'consul.'],
    ] as const) {
      const found = await ask('SRV', service)
      expect(found.answer.length).toBeGreaterThan(0)
      for (const { data: record } of found.answer) {
        const [, , port = '', target = ''] = record.split(' ')
        expect(target.endsWith(domain)).toBe(true)
        const wanted = { 8080: '10.0.0.5', 8081: '10.0.0.6', 8082: '10.0.0.7' }[port]
        expect(data(await ask(target))).toEqual([wanted])
      }
    }
  })

  it('reads texts, names of addresses, and whose domain it is', async () => {
    const texts = (await ask('TXT', 'order-1.instance.order.portolan')).answer
      .map(({ data }) => data)
      .join(' ')
    for (const text of ['id=order-1', 'version=1.4', 'zone=a', 'team=orders'])
      expect(texts).toContain(`"${text}"`)
    expect(data(await ask('-x', '10.0.0.5'))).toEqual(['order-1.instance.order.portolan.'])
    expect(data(await ask('-x', 'fd00::5'))).toEqual(['order-1.instance.order.portolan.'])
    expect(data(await ask('NS', 'portolan'))).toEqual(['ns.portolan.'])
    expect(data(await ask('SOA', 'portolan'))[0]).toMatch(/^ns\.portolan\. \S+ \d+ \d+ \d+ \d+ 1$/)
  })

  it('is told what is not there from what has no such record', async () => {
    const none = await ask('AAAA', 'cart.portolan')
    expect([none.status, none.answer, none.authority[0]?.type]).toEqual(['NOERROR', [], 'SOA'])
    const unknown = await ask('nobody.portolan')
    expect([unknown.status, unknown.authority[0]?.type]).toEqual(['NXDOMAIN', 'SOA'])
    expect(unknown.authority[0]?.ttl).toBeLessThanOrEqual(1)
    // Names above others exist (RFC 8020).
    expect((await ask('tag.order.portolan')).status).toBe('NOERROR')
    expect((await ask('_tcp.order.portolan')).status).toBe('NOERROR')
    const lease = await world.register({
      service: 'gone',
      id: 'g',
      address: '10.0.0.9',
      port: 80,
      checks: [],
    })
    await expect.poll(async () => data(await ask('gone.portolan'))).toEqual(['10.0.0.9'])
    await lease.deregister()
    await expect.poll(async () => data(await ask('gone.portolan'))).toEqual([])
    expect((await ask('gone.portolan')).status).toBe('NOERROR')
    expect((await ask('gone.service.consul')).status).toBe('NXDOMAIN')
  })

  it('has its question back as it asked it', async () => {
    const mixed = await ask('OrDeR.PoRtOlAn')
    expect([mixed.question, mixed.answer.length]).toEqual(['OrDeR.PoRtOlAn.', 2])
  })

  it('comes by TCP for what is too long, and reads all of it there', async () => {
    const cut = await ask('+ignore', 'SRV', '_crowd._tcp.portolan')
    expect(cut.flags).toContain('tc')
    expect(cut.whole).toMatch(/EDNS: version: 0, flags:; udp: \d+/)
    expect(size(cut)).toBeLessThanOrEqual(1232)
    const small = await ask('+ignore', '+noedns', 'crowd.portolan')
    expect(small.flags).toContain('tc')
    expect(size(small)).toBeLessThanOrEqual(512)
    expect(small.answer.length).toBeGreaterThan(20)
    const narrow = await ask('+ignore', '+bufsize=700', 'crowd.portolan')
    expect(size(narrow)).toBeLessThanOrEqual(700)
    const whole = await ask('SRV', '_crowd._tcp.portolan')
    expect(whole.whole).toContain('(TCP)')
    expect(new Set(data(whole)).size).toBe(120)
    // Whoever does without TCP sees another part each time.
    const { whole: many } = await ask('+ignore', '+noedns', ...Array(30).fill(at('crowd.portolan')).flat())
    const seen = new Set(many.match(/\b10\.1\.0\.\d+/g))
    expect(seen.size).toBeGreaterThan(100)
  })

  it('is refused what is not ours, and told what is not done', async () => {
    expect((await ask('example.com')).status).toBe('REFUSED')
    expect((await ask('CH', 'TXT', 'version.bind')).status).toBe('REFUSED')
    expect((await ask('AXFR', 'portolan')).whole).toContain('Transfer failed')
    expect(await ask('+opcode=status', 'order.portolan')).toMatchObject({
      status: 'NOTIMP',
      opcode: 'STATUS',
    })
    expect((await ask('+edns=1', '+noednsneg', 'order.portolan')).status).toBe('BADVERS')
    // RFC 8482: something small, whatever there is.
    const any = await ask('+notcp', '+ignore', 'ANY', 'crowd.portolan')
    expect([any.status, any.answer.length]).toEqual(['NOERROR', 1])
    expect(size(any)).toBeLessThan(200)
    expect((await ask('+cookie', 'order.portolan')).whole).toMatch(/COOKIE: [0-9a-f]{32,} \(good\)/)
  })

  it('answers none with SERVFAIL', async () => {
    const types = ['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'NS', 'SOA', 'MX', 'ANY', 'CAA', 'HTTPS', 'TYPE65280']
    const names = ['order', 'x.order', 'gone', '_order._tcp', 'x.addr', 'ns'].map(name => `${name}.portolan`)
    const asked = ['portolan', 'consul', ...names].flatMap(name => types.flatMap(type => at(name, type)))
    const { whole } = await ask('+notcp', '+ignore', ...asked)
    const said = [...whole.matchAll(/status: (\w+)/g)].map(([, status]) => status)
    expect(said.length).toBe(types.length * 8)
    expect([...new Set(said)].sort()).toEqual(['NOERROR', 'NXDOMAIN'])
    for (const type of types) expect(whole).toMatch(new RegExp(`^;\\S+\\s+IN\\s+${type}$`, 'm'))
  })

  it('knows of a change at the next question', async () => {
    const trio = await startTrio(world)
    const seen = await measureChanges(world, trio, async () => data(await ask('echo.portolan')))
    await world.stopDns()
    expect((await ask('echo.portolan')).whole).toContain('no servers could be reached')
    tell('dig', 'asks each time', seen, 'says so')
    expect(Math.max(seen.registered, seen.drained, seen.killed)).toBeLessThan(2000)
  })
})
