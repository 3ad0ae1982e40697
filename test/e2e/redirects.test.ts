import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { CheckStanding } from '../../packages/portolan/src/health/health.ts'
import { Faults } from '../faults/faults.ts'
import type { Namespace } from '../faults/namespace.ts'
import { describeInNamespaces } from '../faults/namespaced.ts'
import { freePort } from '../ports.ts'
import { getJson, Processes, until } from './processes.ts'

const processes = new Processes()
const ends: (() => unknown)[] = []
const faults = new Faults()

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await processes.endAll()
  await faults.undo()
})

async function startRegistry(): Promise<string> {
  const port = await freePort()
  const text = `api: { listen: "127.0.0.1:${port}" }\ngateway: { admin: "127.0.0.1:${await freePort()}" }\n`
  await processes.up(['--config', processes.file('portolan.yaml', text), '--roles', 'registry'])
  return `http://127.0.0.1:${port}`
}

async function requestsOf(api: string, route: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text()
  const lines = text
    .split('\n')
    .filter(line => line.startsWith('portolan_api_requests_total') && line.includes(`route="${route}"`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

describeInNamespaces('an instance that sends its checks elsewhere', () => {
  /** Stands for the addresses where clouds keep credentials: all connections to it are counted. */
  const secrets = '169.254.77.77'
  const asked = (network: Namespace) => network.counted().asked

  it('is out, and nobody goes there', async () => {
    const api = await startRegistry()
    const network = faults.namespace('169.254.77.0/24')
    network.lose(0)
    await new Promise<void>(resolve => {
      const socket = connect({ host: secrets, port: 80 })
      socket.on('error', () => resolve()).on('connect', () => resolve())
      ends.push(() => socket.destroy())
    })
    expect(asked(network)).toBe(1)

    const targets = [
      `http://${secrets}/latest/meta-data`,
      `//${secrets}/latest/meta-data`,
      `${api}/api/v1/config/routes`,
      '/again',
    ]
    const hits = new Map<string, number>()
    const server = createServer((request, response) => {
      const path = request.url ?? ''
      hits.set(path, (hits.get(path) ?? 0) + 1)
      response.writeHead(302, { Location: targets[Number(path.slice(1))] ?? '/again' }).end()
    }).listen(0, '127.0.0.1')
    ends.push(() => server.close())
    await until('the program', () => server.listening)
    const { port } = server.address() as AddressInfo
    for (const index of targets.keys()) {
      const answer = await fetch(`${api}/api/v1/services/order/instances/evil-${index}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          address: '127.0.0.1',
          port,
          checks: [{ type: 'HTTP', path: `/${index}`, interval: '100ms' }],
        }),
      })
      expect(answer.status).toBe(201)
    }

    for (const [index, target] of targets.entries()) {
      const [check] = await until(`the verdict on ${target}`, async () => {
        const { checks } = await getJson<{ checks: readonly CheckStanding[] }>(
          `${api}/api/v1/services/order/instances/evil-${index}/why`,
        )
        return checks[0]?.phase === 'critical' && checks
      })
      expect(check?.reason).toContain(`GET /${index} answered 302`)
      expect(check?.reason).toContain(target)
      // Time for anybody who would follow later.
      await until('more probes', () => (hits.get(`/${index}`) ?? 0) > 10)
    }
    expect(asked(network)).toBe(1)
    expect(hits.get('/again')).toBeUndefined()
    expect(await requestsOf(api, '/api/v1/config/routes')).toBe(0)
    await fetch(`${api}/api/v1/config/routes`)
    expect(await requestsOf(api, '/api/v1/config/routes')).toBe(1)
  })
})
