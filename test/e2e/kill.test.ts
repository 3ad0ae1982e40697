import { Agent } from 'node:http'
import { connect, Fault, type Portolan } from '@portolan/client'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Load, type Sent, throughGateway } from './load.ts'
import { Processes, root, until } from './processes.ts'
import { healthyOf } from './shop-config.ts'

const processes = new Processes()
let portolan: Portolan | undefined
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
afterEach(async () => {
  await portolan?.close()
  portolan = undefined
  await processes.endAll()
})

async function echoService(delayMs = 0) {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const file = processes.file(
    'portolan.yaml',
    `api: { listen: ["127.0.0.1:${api}"] }
gateway: { listen: "127.0.0.1:${gateway}", admin: "127.0.0.1:${admin}" }
services:
  echo:
    run:
      command: [node, ${root}test/e2e/programs/echo.mjs]
      replicas: 3
      env: { ECHO_DELAY_MS: "${delayMs}" }
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

/** Calls through the library; a call that it must not send again counts as a 502, as the gateway says it. */
function bySdk(client: Portolan, method: string) {
  const echo = client.service('echo')
  return async (number: number): Promise<Sent> => {
    try {
      const response = await echo.fetch(`/${number}`, method === 'POST' ? { method, body: '{}' } : { method })
      const { instance } = (await response.json()) as { instance: string }
      return { status: response.status, instance, method }
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== 'request_failed') throw thrown
      return { status: 502, instance: undefined, method, error: thrown.message }
    }
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
    console.info(
      `GETs over three kills: ${loads.map(load => load.answers.length).join(' + ')} answered, 0 failed`,
    )
  })

  it('fails only POSTs that were written to the killed instance: each a 502, each counted', async () => {
    const { url, gateway, admin } = await echoService(50)
    portolan = await connect(url)
    const send = throughGateway(agent, gateway, 'echo.portolan')
    const loads = [
      new Load(200, number => send(number, 'POST')),
      new Load(200, bySdk(portolan, 'POST')),
    ] as const
    await until('some answers', () => loads.every(load => load.answers.length > 200))
    const killed = await killOne(url)
    const since = (load: Load) => load.answers.filter(answer => answer.at > killed.at).length
    await until('answers after the kill', () => loads.every(load => since(load) > 400))
    for (const load of loads) {
      await load.stop()
      expect(load.failed.filter(answer => answer.status !== 502)).toEqual([])
      // Once the process is gone nothing can be written to it: those are sent elsewhere.
      expect(load.failed.filter(answer => answer.sentAt > killed.at + 50)).toEqual([])
    }
    const metrics = await (await fetch(`${admin}/metrics`)).text()
    const counted = [...metrics.matchAll(/^portolan_gateway_requests_total\{[^}]*class="5xx"[^}]*\} (\d+)/gm)]
    expect(counted.reduce((sum, match) => sum + Number(match[1]), 0)).toBe(loads[0].failed.length)
    const [byGateway, byLibrary] = loads.map(load => `${load.failed.length} of ${load.answers.length}`)
    console.info(`POSTs answered 502: ${byGateway} through the gateway, ${byLibrary} through the library`)
  })
})
