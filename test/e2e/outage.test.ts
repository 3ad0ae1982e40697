import { Agent } from 'node:http'
import { connect } from '@portolan/client'
import { describe, expect, it, type TestContext } from 'vitest'
import { freePort } from '../ports.ts'
import { Load, throughGateway } from './load.ts'
import { getJson, Processes, type Program, until } from './processes.ts'
import { healthyOf } from './shop-config.ts'

/** How long the registry is away; the full 60 s on demand and in CI. */
const outageMs = Number(process.env.PORTOLAN_OUTAGE_MS ?? (process.env.CI ? 60_000 : 15_000))

interface World {
  readonly processes: Processes
  readonly args: readonly string[]
  readonly url: string
  readonly registry: Program
  readonly instances: readonly Program[]
  readonly loads: readonly Load[]
}

/** Three kinds of process: a registry, `lb --join`, and instances under `portolan run`; they end with the test. */
async function world({ onTestFinished }: TestContext): Promise<World> {
  const processes = new Processes()
  onTestFinished(() => processes.endAll())
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const url = `http://127.0.0.1:${api}`
  const file = processes.file('portolan.yaml', `api: { listen: ["127.0.0.1:${api}"] }\n`, directory)
  const args = ['--config', file, '--data', `${directory}/data`, '--roles', 'registry']
  const registry = await processes.up(args)

  processes.portolan([
    'lb',
    '--join',
    url,
    '--listen',
    `127.0.0.1:${gateway}`,
    '--admin',
    `127.0.0.1:${admin}`,
  ])
  const instances = [1, 2, 3].map(n =>
    processes.portolan([
      'run',
      '--url',
      url,
      '--service',
      'echo',
      '--id',
      `echo-${n}`,
      '--',
      'node',
      'test/e2e/programs/echo.mjs',
    ]),
  )
  await until('three healthy echoes', async () => (await healthyOf(url, 'echo')).length === 3, 30_000)

  const portolan = await connect(url)
  onTestFinished(() => portolan.close())
  const echo = portolan.service('echo')
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const send = throughGateway(agent, `http://127.0.0.1:${gateway}`, 'echo.portolan')
  await until('the gateway', async () => (await send(0)).status === 200)
  const loads = [
    new Load(100, number => send(number)),
    new Load(100, async number => {
      const response = await echo.fetch(`/${number}`)
      const { instance } = (await response.json()) as { instance: string }
      return { status: response.status, instance, method: 'GET' }
    }),
  ]
  await until('some answers', () => loads.every(load => load.answers.length > 100))
  return { processes, args, url, registry, instances, loads }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function expectNothingLost(
  { url, instances, loads }: World,
  since: number,
  what: string,
): Promise<void> {
  const back = await until(
    'all three back',
    async () => {
      const healthy = await healthyOf(url, 'echo').catch(() => [])
      return healthy.length === 3 && performance.now()
    },
    30_000,
  )
  await sleep(1000)
  for (const load of loads) await load.stop()
  const [gateway, sdk] = loads
  expect(gateway?.failed).toEqual([])
  expect(sdk?.failed).toEqual([])
  for (const { child } of instances) expect([child.exitCode, child.signalCode]).toEqual([null, null])
  const { services } = await getJson<{ services: readonly { service: string; healthy: number }[] }>(
    `${url}/api/v1/services`,
  )
  expect(services.find(entry => entry.service === 'echo')?.healthy).toBe(3)
  const answered = loads.reduce((sum, load) => sum + load.answers.length, 0)
  console.info(
    `${what}: ${answered} answers, 0 failed, all back after ${((back - since) / 1000).toFixed(2)} s`,
  )
}

// Both at once: most of the time they wait for the end of the outage.
describe.concurrent('the registry is away under load', () => {
  it('loses no request and no instance when it is killed', { timeout: outageMs + 120_000 }, async test => {
    const here = await world(test)
    await here.registry.end('SIGKILL')
    await sleep(outageMs)
    const since = performance.now()
    await here.processes.up(here.args)
    await expectNothingLost(here, since, 'SIGKILL')
  })

  it('loses no request and no instance when it is stopped and goes on', {
    timeout: outageMs + 120_000,
  }, async test => {
    const here = await world(test)
    process.kill(here.registry.pid, 'SIGSTOP')
    await sleep(outageMs)
    const since = performance.now()
    process.kill(here.registry.pid, 'SIGCONT')
    await expectNothingLost(here, since, 'SIGSTOP')
  })
})
