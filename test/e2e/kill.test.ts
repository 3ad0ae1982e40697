import { Agent } from 'node:http'
import { connect, type Portolan } from '@portolan/client'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, Load, throughGateway } from './load.ts'
import { freePort, Processes, root, until } from './processes.ts'
import { healthyOf } from './shop-config.ts'

const processes = new Processes()
let portolan: Portolan | undefined
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
afterEach(async () => {
  await portolan?.close()
  portolan = undefined
  await processes.endAll()
})

async function echoService() {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const file = processes.file(
    'portolan.yaml',
    `api: { listen: ["127.0.0.1:${api}"] }
gateway: { listen: "127.0.0.1:${gateway}", admin: "127.0.0.1:${admin}" }
services:
  echo: { run: { command: [node, ${root}test/e2e/programs/echo.mjs], replicas: 3 } }
`,
    directory,
  )
  await processes.up(['--config', file, '--data', `${directory}/data`])
  const url = `http://127.0.0.1:${api}`
  await until('three healthy echoes', async () => (await healthyOf(url, 'echo')).length === 3)
  return { url, gateway: `http://127.0.0.1:${gateway}`, admin: `http://127.0.0.1:${admin}` }
}

async function killOne(url: string): Promise<{ id: string; at: number }> {
  const [victim] = await healthyOf(url, 'echo')
  if (victim === undefined) throw new Error('nobody to kill')
  const at = performance.now()
  process.kill(Number(victim.metadata.pid), 'SIGKILL')
  return { id: victim.id, at }
}

function bySdk(client: Portolan, method: string) {
  const echo = client.service('echo')
  return async (number: number): Promise<Omit<Answer, 'at'>> => {
    const response = await echo.fetch(`/${number}`, method === 'POST' ? { method, body: '{}' } : { method })
    const { instance } = (await response.json()) as { instance: string }
    return { status: response.status, instance, method }
  }
}

describe('kill -9 of an instance under load', () => {
  it('fails no GET, neither through the gateway nor through the library', async () => {
    const { url, gateway } = await echoService()
    portolan = await connect(url)
    const send = throughGateway(agent, gateway, 'echo.portolan')
    const loads = [new Load(200, send), new Load(200, bySdk(portolan, 'GET'))]
    await until('some answers', () => loads.every(load => load.answers.length > 200))
    for (let i = 0; i < 3; i++) {
      await until('all three', async () => (await healthyOf(url, 'echo')).length === 3)
      const before = loads.map(load => load.answers.length)
      await killOne(url)
      await until('more answers', () =>
        loads.every((load, at) => load.answers.length > (before[at] ?? 0) + 200),
      )
    }
    for (const load of loads) {
      await load.stop()
      expect(load.failed).toEqual([])
    }
  })

  it('fails only POSTs that were written to the killed instance: each a 502, each counted', async () => {
    const { url, gateway, admin } = await echoService()
    const send = throughGateway(agent, gateway, 'echo.portolan')
    const load = new Load(200, number => send(number, 'POST'))
    await until('some answers', () => load.answers.length > 200)
    const killed = await killOne(url)
    await until(
      'answers after the kill',
      () => load.answers.filter(answer => answer.at > killed.at).length > 400,
    )
    await load.stop()
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    const counted = [...metrics.matchAll(/^portolan_gateway_requests_total\{[^}]*class="5xx"[^}]*\} (\d+)/gm)]
    const total = counted.reduce((sum, match) => sum + Number(match[1]), 0)
    expect(load.failed.filter(answer => answer.status !== 502)).toEqual([])
    expect(total).toBe(load.failed.length)
    expect(load.failed.length).toBeLessThan(20)
  })
})
