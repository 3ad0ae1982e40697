import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
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

const rate = 100
/** Requests of a look at the log: by chance alone, one of three instances has none of so many once in 10⁷ times. */
const recent = 40

/** The way in which open source nginx before 1.27 asks more than once: a variable in `proxy_pass`. */
function config(directory: string, dns: number, front: number, port: number): string {
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 256; }
http {
  ${temps.map(name => `${name}_temp_path ${directory}/${name};`).join(' ')}
  log_format tried '$msec $status $upstream_addr';
  access_log ${directory}/access.log tried;
  resolver 127.0.0.1:${dns} valid=1s ipv6=off;
  resolver_timeout 2s;
  server {
    listen 127.0.0.1:${front};
    set $echo echo.portolan;
    location / {
      proxy_pass http://$echo:${port};
      proxy_connect_timeout 1s;
      proxy_next_upstream error timeout;
    }
  }
}`
}

interface Tried {
  /** Milliseconds since 1970. */
  readonly at: number
  /** The last one answered. */
  readonly addresses: readonly string[]
}

async function startNginx({ processes, port: dns }: DnsWorld, port: number) {
  const front = await freePort()
  const directory = processes.directory()
  const file = processes.file('nginx.conf', config(directory, dns, front, port), directory)
  const program = processes.start('nginx', ['-p', directory, '-e', join(directory, 'error.log'), '-c', file])
  const url = `http://127.0.0.1:${front}`
  await until('nginx', () => {
    if (program.child.exitCode !== null) throw new Error(`nginx ended: ${program.output()}`)
    return fetch(url).then(
      answer => answer.ok,
      () => false,
    )
  })
  return {
    url,
    tried(): readonly Tried[] {
      const lines = readFileSync(join(directory, 'access.log'), 'utf8').trim().split('\n')
      return lines.map(line => {
        const [at = '', , ...tried] = line.split(/[ ,]+/)
        return { at: Number(at) * 1000, addresses: tried.map(address => address.replace(/:\d+$/, '')) }
      })
    },
  }
}

/** nginx keeps nothing that has outlived `valid`: how long it goes on, in milliseconds; and it goes on again. */
async function withoutDns(here: DnsWorld, load: Load): Promise<number> {
  const from = performance.now()
  await here.stopDns()
  const first = await until('a failure', () => load.failed[0])
  expect(first.status).toBe(502)
  await here.startDns()
  const back = performance.now()
  const since = () => load.answers.filter(({ sentAt, status }) => sentAt > back && status === 200).length
  await until('answers', () => since() > rate)
  return first.at - from
}

describeWith(['nginx'], 'nginx with a resolver and a variable', () => {
  it('sends to those that DNS names, and loses no request when they come, drain and die', async () => {
    const here = await openDns()
    world = here
    const trio = await startTrio(here)
    const nginx = await startNginx(here, trio.c.port)
    const load = new Load(rate, throughGateway(agent, nginx.url, 'echo'))
    const look = async () =>
      nginx
        .tried()
        .slice(-recent)
        .flatMap(({ addresses }) => addresses)
    const { at, releasedMs } = await measureChanges(here, trio, look)
    expect(load.failed).toEqual([])
    expect(new Set(load.answers.map(({ instance }) => instance))).toEqual(new Set(['a', 'b', 'c']))
    const away = await withoutDns(here, load)
    await load.stop()
    const tries = (address: string, since: number): number[] =>
      nginx
        .tried()
        .flatMap(({ at, addresses }) => (at >= since && addresses.includes(address) ? [at - since] : []))
    const last = (times: readonly number[]): number => Math.max(0, ...times)
    const seen = {
      registered: Math.min(...tries(trio.c.address, at.registered)),
      drained: last(tries(trio.c.address, at.drained)),
      killed: last(tries(trio.b.address, at.killed)),
    }
    const behaviour = 'asks when `valid` (1 s) is over; first request to the new one, last to the old'
    tell('nginx 1.22', behaviour, seen, `502 after ${away.toFixed(0)} ms`)
    console.info(`drained for nginx after ${seen.drained} ms, released after ${releasedMs.toFixed(0)} ms`)
    // Whoever drains may stop only when nginx sends it nothing any more.
    expect(seen.drained).toBeLessThanOrEqual(releasedMs)
    expect(Math.max(seen.registered, seen.drained, seen.killed)).toBeLessThan(5000)
  })
})
