import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Load, throughGateway } from '../../test/e2e/load.ts'
import { until } from '../../test/e2e/processes.ts'
import { type Program, portolanMain } from '../../test/faults/program.ts'
import { everywhere, openWorld, type World } from '../../test/faults/world.ts'
import { freePort } from '../../test/ports.ts'
import { openResolving } from '../peers/dns/resolving.ts'
import { type Bench, quantile, round } from '../row.ts'
import { startDns } from './kill.ts'
import { addressOf, answered } from './question.ts'

const replicas = Number(process.env.BENCH_REPLICAS ?? 8)
/** Through each of the three ways. */
const requestsPerSecond = 500
const calmMs = 3000

interface Order {
  readonly program: Program
  readonly id: string
}

interface Left {
  readonly ms: number
  /** Requests that were under way when it was told that nobody picks it any more. */
  readonly open: number
}

let named = 0

async function startOrder({ faults, url }: World, port: number): Promise<Order> {
  named += 1
  const id = `order-${named}`
  const file = fileURLToPath(new URL('./programs/order.ts', import.meta.url))
  const program = faults.start(file, [url, id, addressOf('127.2', named), String(port)], { cpus: everywhere })
  await program.line(line => line === 'ready' || undefined)
  return { program, id }
}

async function startGateway({ faults, url }: World): Promise<string> {
  const port = await freePort()
  const words = ['lb', '--join', url, '--listen', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0']
  const lb = faults.start(portolanMain, words, { cpus: '0', preload: ['tethered'] })
  await lb.line(line => line === 'joined' || undefined)
  return `http://127.0.0.1:${port}`
}

/**
 * Requests that failed while the instances of `order` were replaced one after the other: each new one registers, the old
 * one drains and is ended by SIGKILL the moment that it may go. 500 requests/s each through HAProxy and nginx, which know
 * of them by DNS alone, and as many through our gateway; half of them POSTs, which nobody may repeat.
 */
export const dnsDeployRow: Bench = async say => {
  const world = await openWorld()
  const agent = new Agent({ keepAlive: true, maxSockets: 300 })
  try {
    const port = await freePort()
    const crowd = await Promise.all(Array.from({ length: replicas }, () => startOrder(world, port)))
    await world.healthy('order', replicas)
    const [dns, gateway] = await Promise.all([startDns(world), startGateway(world)])
    await answered(dns.port, { name: 'order.portolan', type: 'A' }, replicas)
    await using resolving = await openResolving(dns.port, port, 2 * replicas)
    const ways = { gateway, haproxy: resolving.haproxy, nginx: resolving.nginx }
    const senders = Object.entries(ways).map(
      ([name, url]) => [name, throughGateway(agent, url, 'order.portolan')] as const,
    )
    for (const [name, send] of senders)
      await until(`an answer through ${name}`, async () => (await send(0)).status === 200)
    await setTimeout(2000)
    const loads = Object.fromEntries(
      senders.map(([name, send]) => [
        name,
        new Load(requestsPerSecond, number => send(number, number % 2 === 0 ? 'GET' : 'POST')),
      ]),
    )
    say(`${calmMs} ms of ${requestsPerSecond} requests/s each, then ${replicas} replacements`)
    await setTimeout(calmMs)
    const from = performance.now()
    const left: Left[] = []
    for (const old of crowd) {
      await startOrder(world, port)
      await world.healthy('order', replicas + 1)
      left.push(await old.program.ask<Left>('leave'))
      await old.program.end('SIGKILL')
      say(`${old.id} is gone, after ${round(left.at(-1)?.ms ?? 0, 0)} ms`)
      await world.healthy('order', replicas)
    }
    await setTimeout(2500)
    const to = performance.now()
    await Promise.all(Object.values(loads).map(load => load.stop()))
    const byDns = [loads.haproxy, loads.nginx].flatMap(load => load?.failed ?? [])
    return {
      row: 'dns.deploy',
      value: byDns.length,
      unit: 'count',
      better: 'lower',
      peer: 'our gateway',
      detail: {
        atMost: 0,
        aim: 0,
        replaced: replicas,
        seconds: round((to - from) / 1000, 1),
        drainMs: {
          p50: round(
            quantile(
              left.map(({ ms }) => ms),
              0.5,
            ),
            0,
          ),
          max: round(Math.max(...left.map(({ ms }) => ms)), 0),
        },
        underWayAtTheEnd: left.map(({ open }) => open),
        ...Object.fromEntries(Object.entries(loads).map(([name, load]) => [name, described(load, from)])),
        nginxComplaints: resolving.complaints().split('\n').slice(0, 3),
      },
    }
  } finally {
    agent.destroy()
    await world.close()
  }
}

function described({ answers, failed }: Load, from: number) {
  const p99 = (before: boolean): number => {
    const took = answers.filter(({ at }) => at < from === before).map(({ sentAt, at }) => at - sentAt)
    return round(quantile(took, 0.99), 1)
  }
  return {
    requests: answers.length,
    failed: failed.length,
    instances: new Set(answers.map(({ instance }) => instance)).size,
    p99MsBefore: p99(true),
    p99MsDuring: p99(false),
    firstFailures: failed
      .slice(0, 3)
      .map(({ method, status, error }) => ({ method, status, error: error?.slice(0, 100) })),
  }
}
