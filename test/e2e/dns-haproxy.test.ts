import { Agent } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { describeWith } from './components.ts'
import { type DnsWorld, measureChanges, openDns, startTrio, tell } from './dns-world.ts'
import { Load, throughGateway } from './load.ts'
import { until } from './processes.ts'

let world: DnsWorld | undefined
const agent = new Agent({ keepAlive: true, maxSockets: 32 })
afterEach(async () => {
  agent.destroy()
  await world?.close()
  world = undefined
})

/** A backend that DNS alone fills, as docs/dns.md recommends it. */
const config = (dns: number, front: number, socket: string): string => `
global
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 5s
  option redispatch 1
  retries 3
  retry-on conn-failure empty-response
resolvers portolan
  nameserver dns 127.0.0.1:${dns}
  accepted_payload_size 8192
  resolve_retries 2
  timeout resolve 500ms
  timeout retry 200ms
  hold valid 500ms
  hold obsolete 0s
  hold nx 0s
frontend front
  bind 127.0.0.1:${front}
  default_backend echo
backend echo
  balance roundrobin
  server-template echo 8 _echo._tcp.portolan resolvers portolan resolve-prefer ipv4 init-addr none
`

async function startHaproxy({ processes, port: dns }: DnsWorld) {
  const front = await freePort()
  const directory = processes.directory()
  const socket = `${directory}/socket`
  const program = processes.start('haproxy', [
    '-db',
    '-f',
    processes.file('haproxy.cfg', config(dns, front, socket), directory),
  ])
  const ask = async (command: string): Promise<string> => {
    const peer = connect(socket)
    peer.end(`${command}\n`)
    return text(peer)
  }
  await until('HAProxy', () => {
    if (program.child.exitCode !== null) throw new Error(`HAProxy ended: ${program.output()}`)
    return ask('show info').then(
      () => true,
      () => false,
    )
  })
  return {
    url: `http://127.0.0.1:${front}`,
    /** Servers that it would send a request to, by their addresses; each has its weight. */
    async servers(): Promise<readonly { readonly address: string; readonly weight: number }[]> {
      const [head = '', ...rows] = (await ask('show stat echo 4 -1')).trim().split('\n')
      const column = (name: string): number => head.replace(/^# /, '').split(',').indexOf(name)
      const [status, address, weight] = [column('status'), column('addr'), column('weight')]
      return rows
        .map(row => row.split(','))
        .filter(cells => /^(UP|no check)/.test(cells[status] ?? ''))
        .map(cells => ({
          address: (cells[address] ?? '').replace(/:\d+$/, ''),
          weight: Number(cells[weight]),
        }))
    },
  }
}

describeWith(['haproxy'], 'HAProxy with server-template over SRV records', () => {
  it('sends to those that DNS names, and loses no request when they come, drain and die', async () => {
    const here = await openDns({ args: ['--srv-weight-scale', '256'] })
    world = here
    const trio = await startTrio(here)
    const haproxy = await startHaproxy(here)
    const known = async () => (await haproxy.servers()).map(({ address }) => address)
    await until('two servers', async () => (await known()).length === 2)
    const load = new Load(100, throughGateway(agent, haproxy.url, 'echo'))
    const seen = await measureChanges(here, trio, known)
    await here.stopDns()
    const answered = load.answers.length
    await until('traffic without DNS', () => load.answers.length > answered + 300)
    await load.stop()
    tell(
      'HAProxy 2.6',
      'asks each 500 ms (`timeout resolve`, `hold valid`)',
      seen,
      'sends on (`hold timeout`)',
    )
    expect(load.failed).toEqual([])
    expect(new Set(load.answers.map(({ instance }) => instance))).toEqual(new Set(['a', 'b', 'c']))
    expect(seen.drained).toBeLessThanOrEqual(seen.releasedMs)
    expect(Math.max(seen.registered, seen.drained, seen.killed)).toBeLessThan(5000)
  })

  it('has the weights that they registered with', async () => {
    const here = await openDns({ args: ['--srv-weight-scale', '256'] })
    world = here
    const weights = { a: 1, b: 4 } as const
    const addressOf = { a: '10.0.0.5', b: '10.0.0.6' } as const
    for (const id of ['a', 'b'] as const)
      await here.register({
        service: 'echo',
        id,
        address: addressOf[id],
        port: 80,
        weight: weights[id],
        checks: [],
      })
    const haproxy = await startHaproxy(here)
    await until('both weights', async () => {
      const found = (await haproxy.servers()).map(({ address, weight }) => `${address} ${weight}`).sort()
      return found.join() === `${addressOf.a} 1,${addressOf.b} 4`
    })
  })
})
