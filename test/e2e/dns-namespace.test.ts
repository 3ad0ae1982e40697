import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Namespace } from '../faults/namespace.ts'
import { describeInNamespaces } from '../faults/namespaced.ts'
import { describeWith } from './components.ts'
import { type DnsWorld, measureChanges, openDns, startTrio, tell } from './dns-world.ts'
import { until, withSbin } from './processes.ts'
import { startPrometheus } from './prometheus.ts'

// Those who can only ask whom /etc/resolv.conf names, on port 53: in a network of their own, with files of their own.

let world: DnsWorld & { readonly network?: Namespace }
beforeEach(async () => {
  world = await openDns({ apart: true })
})
afterEach(() => world?.close())

/** How to run a command where `portolan dns` is the machine's resolver. */
function inside(): (command: string, args: readonly string[]) => [string, readonly string[]] {
  const { network, processes } = world
  if (network === undefined) throw new Error('there is no network of its own')
  const resolv = processes.file('resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:2\n')
  const nsswitch = processes.file('nsswitch.conf', 'hosts: dns\n')
  // `ip netns exec` gives it mounts of its own, which go with it.
  const script =
    'mount --bind "$0" /etc/resolv.conf && mount --bind "$1" /etc/nsswitch.conf && shift && exec "$@"'
  return (command, args) => network.wrap('sh', ['-c', script, resolv, nsswitch, command, ...args])
}

describeInNamespaces('getent', () => {
  it('finds instances as any program of the machine would', async () => {
    const wrap = inside()
    const getent = async (...args: readonly string[]) => {
      const [command, all] = wrap('getent', args)
      const child = spawn(command, all, { env: withSbin(), stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise<number | null>(resolve => child.once('close', resolve))
      const out = await text(child.stdout)
      const addresses = out.split('\n').flatMap(line => line.split(/\s+/)[0] || [])
      return { exit: await ended, addresses: [...new Set(addresses)].sort() }
    }
    const both = ['10.0.0.5', 'fd00::5']
    await world.register({ service: 'order', id: 'order-1', addresses: both, port: 80, checks: [] })
    await world.register({ service: 'cart', id: 'cart-1', address: '10.0.0.7', port: 80, checks: [] })
    await until('both services', async () => (await getent('ahosts', 'cart.portolan')).exit === 0)
    expect((await getent('ahosts', 'order.portolan')).addresses).toEqual(both)
    expect((await getent('ahostsv6', 'order.portolan')).addresses).toEqual(['fd00::5'])
    // No AAAA record is no reason to have no address.
    expect(await getent('ahosts', 'cart.portolan')).toEqual({ exit: 0, addresses: ['10.0.0.7'] })
    expect(await getent('ahosts', 'nobody.portolan')).toEqual({ exit: 2, addresses: [] })
    const trio = await startTrio(world)
    const seen = await measureChanges(
      world,
      trio,
      async () => (await getent('ahosts', 'echo.portolan')).addresses,
    )
    await world.stopDns()
    expect((await getent('ahosts', 'echo.portolan')).exit).toBe(2)
    tell('getent (glibc)', 'asks each time; keeps nothing', seen, 'finds nothing')
    expect(Math.max(seen.registered, seen.drained, seen.killed)).toBeLessThan(3000)
  })
})

describeInNamespaces('Prometheus dns_sd', () => {
  const jobs = `
  - job_name: srv
    dns_sd_configs: [{ names: [_echo._tcp.portolan], type: SRV, refresh_interval: 1s }]
  - job_name: a
    dns_sd_configs: [{ names: [echo.portolan], type: A, port: 80, refresh_interval: 1s }]
`
  describeWith(['prometheus'], 'over SRV records', () => {
    it('follows instances, and has none when all are gone', async () => {
      const outside = world.network?.outside ?? ''
      const trio = await startTrio(world, outside)
      const prometheus = await startPrometheus(world.processes, jobs, inside(), world.network?.inside)
      const known = async (job: string): Promise<readonly string[]> =>
        (await prometheus.targets())
          .filter(({ scrapePool }) => scrapePool === job)
          .map(({ discoveredLabels: { __address__ = '' } }) => __address__)
      const seen = await measureChanges(
        world,
        trio,
        () => known('srv'),
        ({ port }, id) => `${id}.instance.echo.portolan:${port}`,
      )
      expect(Math.max(seen.registered, seen.drained, seen.killed)).toBeLessThan(12_000)
      expect(await known('a')).toEqual([`${outside}:80`])
      // The names of its targets are those of the instances.
      await until('a scrape of a', async () => (await trio.a.program.ask<number>('served')) > 0)

      await world.stopDns()
      const failures = () => prometheus.metric('prometheus_sd_dns_lookup_failures_total')
      const before = await failures()
      await until('questions without an answer', async () => (await failures()) > before + 4)
      expect(await known('srv')).toEqual([`a.instance.echo.portolan:${trio.a.port}`])
      const behaviour = 'asks each `refresh_interval` (1 s), takes over each 5 s'
      tell('Prometheus 2.42 dns_sd', behaviour, seen, 'keeps what it has')
      await world.startDns()

      process.kill(trio.a.program.pid, 'SIGKILL')
      // The last one left would be named, drained or not.
      await world.remove('echo', 'c')
      await until('no targets', async () => (await known('srv')).length + (await known('a')).length === 0)
    })
  })
})
