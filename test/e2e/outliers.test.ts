import { Agent } from 'node:http'
import { connect, type Portolan } from '@portolan/client'
import { afterEach, describe, expect, it } from 'vitest'
import { Faults } from '../faults/faults.ts'
import { type Program, script } from '../faults/program.ts'
import { freePort } from '../ports.ts'
import { Load, type Sent, throughGateway } from './load.ts'
import { Processes, type Program as Started, until } from './processes.ts'
import { healthyOf, instancesOf } from './shop-config.ts'

const processes = new Processes()
let faults = new Faults()
let portolan: Portolan | undefined
let loads: readonly Load[] = []
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

afterEach(async () => {
  await Promise.all(loads.map(load => load.stop()))
  loads = []
  await portolan?.close()
  portolan = undefined
  await faults.undo()
  faults = new Faults()
  await processes.endAll()
})

interface World {
  readonly url: string
  readonly admin: string
  readonly registry: Started
  readonly instances: ReadonlyMap<string, Program>
}

const ids = ['echo-1', 'echo-2', 'echo-3', 'echo-4'] as const
const victim = ids[1]

/** A registry, a gateway of its own, four instances with those checks, and 200 GETs/s through gateway and library each. */
async function world(checks?: readonly unknown[]): Promise<World> {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const file = processes.file('portolan.yaml', `api: { listen: ["127.0.0.1:${api}"] }\n`, directory)
  const registry = await processes.up([
    '--config',
    file,
    '--data',
    `${directory}/data`,
    '--roles',
    'registry',
  ])
  const url = `http://127.0.0.1:${api}`
  const listen = ['--listen', `127.0.0.1:${gateway}`, '--admin', `127.0.0.1:${admin}`]
  processes.portolan(['lb', '--join', url, ...listen])
  const asked = checks === undefined ? [] : [JSON.stringify(checks)]
  const instances = new Map(
    ids.map(id => [id, faults.start(script('instance'), [url, 'echo', id, '127.0.0.1', ...asked])]),
  )
  await until('four healthy echoes', async () => (await healthyOf(url, 'echo')).length === 4, 60_000)
  portolan = await connect(url)
  const echo = portolan.service('echo')
  const send = throughGateway(agent, `http://127.0.0.1:${gateway}`, 'echo.portolan')
  await until('the gateway', async () => (await send(0)).status === 200)
  const bySdk = async (): Promise<Sent> => {
    const response = await echo.fetch('/')
    const { instance } = (await response.json()) as { instance: string }
    return { status: response.status, instance, method: 'GET' }
  }
  loads = [new Load(200, number => send(number)), new Load(200, bySdk)]
  await until('answers from the victim', () =>
    loads.every(load => load.answers.filter(({ instance }) => instance === victim).length > 20),
  )
  return { url, admin: `http://127.0.0.1:${admin}`, registry, instances }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

const named = ['gateway', 'library'] as const

interface Burst {
  /** Sent before the fifth failure had come back: nobody could know better. */
  readonly unknowing: number
  /** Sent after that, within the first time out. */
  readonly knowing: number
  /** When the trials that followed were sent, in ms since the first failure. */
  readonly trials: readonly number[]
}

/** What each consumer sent to the victim since it began to fail. */
async function failFor(here: World, ms: number): Promise<readonly Burst[]> {
  await here.instances.get(victim)?.ask('fail', 1_000_000)
  await sleep(ms)
  return loads.map(load => {
    const failed = [...load.failed].sort((a, b) => a.at - b.at)
    expect(failed.every(({ instance, status }) => instance === victim && status === 503)).toBe(true)
    const firstAt = failed[0]?.at ?? Number.NaN
    const knownAt = failed[4]?.at ?? Number.POSITIVE_INFINITY
    const early = failed.filter(({ sentAt }) => sentAt < firstAt + 800)
    return {
      unknowing: early.filter(({ sentAt }) => sentAt < knownAt).length,
      knowing: early.filter(({ sentAt }) => sentAt >= knownAt).length,
      trials: failed
        .filter(answer => !early.includes(answer))
        .map(({ sentAt }) => Math.round(sentAt - firstAt)),
    }
  })
}

async function gatewayMetric({ admin }: World, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  const lines = text.split('\n').filter(line => line.startsWith(`${name}{`))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

describe('an instance that begins to answer 503 to everything', () => {
  it('is out for each consumer after five requests, where only TCP is checked, and for nobody else', async () => {
    const here = await world()
    for (const [index, { unknowing, knowing, trials }] of (await failFor(here, 5000)).entries()) {
      console.info(
        `5xx burst, TCP check, ${named[index]}: ${unknowing} requests, ${knowing} more, then trials after ${trials} ms`,
      )
      expect(knowing).toBe(0)
      // Out for 1, 2 and 4 s.
      expect(trials.length).toBeLessThanOrEqual(3)
    }
    expect((await healthyOf(here.url, 'echo')).length).toBe(4)
    expect(await gatewayMetric(here, 'portolan_gateway_outliers')).toBe(1)
    // It is well again, and the next trial says so.
    await here.instances.get(victim)?.ask('fail', 0)
    const since = performance.now()
    await until('answers from it again', () =>
      loads.every(load =>
        load.answers.some(({ instance, status, at }) => instance === victim && status === 200 && at > since),
      ),
    )
  })

  it('is out for everybody by the first report, where HTTP is checked', async () => {
    const here = await world([{ type: 'HTTP', path: '/' }])
    const at = performance.now()
    const out = until('its cause', async () => {
      const found = await instancesOf(here.url, 'echo')
      const causes = found.find(({ id }) => id === victim)?.causes ?? []
      return causes.some(({ kind }) => kind === 'http') && performance.now() - at
    })
    const bursts = await failFor(here, 4000)
    console.info(`5xx burst, HTTP check: a cause for all after ${Math.round(await out)} ms`)
    for (const [index, { unknowing, knowing, trials }] of bursts.entries()) {
      console.info(`5xx burst, HTTP check, ${named[index]}: ${unknowing} requests, ${knowing} more`)
      expect(knowing).toBe(0)
      // Whom the registry has taken out, nobody tries.
      expect(trials).toEqual([])
    }
  })
})

describe('the registry is gone', () => {
  it('and an instance dies: nobody notices, and it is tried ever less often', async () => {
    const here = await world()
    await here.registry.end('SIGKILL')
    await sleep(500)
    const connectErrors = () => gatewayMetric(here, 'portolan_gateway_connect_errors_total')
    const before = await connectErrors()
    const killedAt = performance.now()
    await here.instances.get(victim)?.end('SIGKILL')
    await sleep(700)
    const atOnce = (await connectErrors()) - before
    await sleep(7300)
    const later = (await connectErrors()) - before - atOnce
    const answers = loads.map(load => load.answers.filter(({ at }) => at > killedAt).length)
    console.info(
      `registry and an instance killed: ${answers.join(' + ')} GETs, 0 failed; ` +
        `${atOnce} connections tried at once, ${later} in the 7 s after that`,
    )
    expect(loads.flatMap(load => load.failed)).toEqual([])
    // Whatever was on its way when the first was refused; then trials after 1, 3 and 7 s.
    expect(atOnce).toBeGreaterThan(0)
    expect(later).toBeLessThanOrEqual(3)
    expect(await gatewayMetric(here, 'portolan_gateway_outliers')).toBe(1)
  })
})
