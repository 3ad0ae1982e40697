import { createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Processes, type Program, until } from '../e2e/processes.ts'
import { freePort } from '../ports.ts'
import { CountingLoad, type Counts } from './counting-load.ts'

export interface Limit {
  readonly qps: number
  readonly burst: number
}

/** What was sent and passed in one stretch of time. */
export interface Stretch {
  readonly name: string
  readonly ms: number
  /** What the limit lets pass in that time. */
  readonly plan: number
  readonly passed: number
  /** By how much of the plan it was off. */
  readonly off: number
  readonly gateways: readonly Counts[]
  /** How late we were ourselves at most: where that is long, nobody had time to be right. */
  readonly latestMs: number
}

const service = 'echo'
const gateways = 3

/** A registry, three gateways of their own, and an instance that says yes to everything; the service has that limit. */
export class ThreeGateways {
  readonly #processes = new Processes()
  readonly #closers: (() => void)[] = []
  readonly #limit: Limit
  #loads: readonly CountingLoad[] = []
  #admins: readonly number[] = []
  registry: Program | undefined

  constructor(limit: Limit) {
    this.#limit = limit
  }

  async open(): Promise<void> {
    const { qps, burst } = this.#limit
    const api = await freePort()
    const directory = this.#processes.directory()
    const text = [
      `api: { listen: ["127.0.0.1:${api}"] }`,
      'services:',
      `  ${service}:`,
      `    instances: [127.0.0.1:${await this.#instance()}]`,
      `    rateLimit: { enabled: true, qps: ${qps}, burst: ${burst}, strategy: token-bucket }`,
      'gateway:',
      `  routes: [{ match: { path: / }, service: ${service} }]`,
      '',
    ]
    const config = this.#processes.file('portolan.yaml', text.join('\n'), directory)
    const roles = ['--roles', 'registry', '--data', `${directory}/data`]
    this.registry = await this.#processes.up(['--config', config, ...roles])
    const ports: number[] = []
    const admins: number[] = []
    for (let count = 0; count < gateways; count++) {
      const [port, admin] = [await freePort(), await freePort()]
      const listen = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`]
      this.#processes.portolan(['lb', '--join', `http://127.0.0.1:${api}`, ...listen])
      ports.push(port)
      admins.push(admin)
    }
    this.#admins = admins
    for (const port of ports) {
      await until('the gateway', async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
        await answer?.arrayBuffer()
        return answer?.status === 200
      })
    }
    this.#loads = ports.map(port => new CountingLoad(port, service))
    await until('shares for three', async () => {
      const shares = await this.shares()
      return shares.every(share => share < qps) && Math.abs(sum(shares) - qps) < 1
    })
  }

  /** Requests a second that each gateway may let pass at present. */
  async shares(): Promise<readonly number[]> {
    const pages = this.#admins.map(async admin => {
      const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text()
      return Number(/^portolan_gateway_rate_limit_share\{[^}]*\} (.+)$/m.exec(text)?.[1] ?? Number.NaN)
    })
    return await Promise.all(pages)
  }

  /** Sends so many requests a second to each gateway, for so long. `saved`: what the limit had saved up before. */
  async stretch(name: string, rates: readonly number[], forMs: number, saved: number): Promise<Stretch> {
    const before = this.#loads.map(({ counts }) => counts)
    const start = performance.now()
    this.#loads.forEach((load, index) => {
      load.rate(rates[index] ?? 0)
    })
    await new Promise(resolve => setTimeout(resolve, forMs))
    const ms = performance.now() - start
    const found = this.#loads.map(({ counts }, index) => minus(counts, before[index]))
    const latestMs = Math.max(...this.#loads.map(load => load.latestMs))
    const plan = (this.#limit.qps * ms) / 1000 + saved
    const passed = sum(found.map(counts => counts.passed))
    return { name, ms, plan, passed, off: passed / plan - 1, gateways: found, latestMs }
  }

  async rest(ms: number): Promise<void> {
    for (const load of this.#loads) load.rate(0)
    await new Promise(resolve => setTimeout(resolve, ms))
  }

  get broken(): number {
    return sum(this.#loads.map(({ broken }) => broken))
  }

  async close(): Promise<void> {
    for (const load of this.#loads) load.close()
    await this.#processes.endAll()
    for (const close of this.#closers) close()
  }

  async #instance(): Promise<number> {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    const server = createServer({ noDelay: true }, socket => {
      let rest = ''
      socket.on('error', () => {})
      socket.on('data', chunk => {
        const heads = (rest + chunk.toString('latin1')).split('\r\n\r\n')
        rest = heads.pop() ?? ''
        socket.write(answer.repeat(heads.length))
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    this.#closers.push(() => server.close())
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function minus(counts: Counts, before: Counts | undefined): Counts {
  const { sent = 0, passed = 0, limited = 0, withRetryAfter = 0, other = 0 } = before ?? {}
  return {
    sent: counts.sent - sent,
    passed: counts.passed - passed,
    limited: counts.limited - limited,
    withRetryAfter: counts.withRetryAfter - withRetryAfter,
    other: counts.other - other,
  }
}
