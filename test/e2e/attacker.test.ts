import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type CheckOptions, connect, type Fault, type RegisterOptions } from '@portolan/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { healthCheck } from '../../packages/portolan/src/config/sections/health-checks.ts'
import type { CheckStanding } from '../../packages/portolan/src/health/health.ts'
import { freePort } from '../ports.ts'
import { getJson, Processes, until } from './processes.ts'

const processes = new Processes()
const ends: (() => unknown)[] = []
let api = ''
let adminPort = 0
let gatewayPort = 0

beforeEach(async () => {
  const apiPort = await freePort()
  adminPort = await freePort()
  gatewayPort = await freePort()
  api = `http://127.0.0.1:${apiPort}`
  const config = processes.file(
    'portolan.yaml',
    `api: { listen: "127.0.0.1:${apiPort}" }\ngateway: { listen: "127.0.0.1:${gatewayPort}", admin: "127.0.0.1:${adminPort}" }\n`,
  )
  await processes.up(['--config', config])
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await processes.endAll()
})

/** Registers by SDK; the fault that it is refused with. */
async function refusal(options: object): Promise<Fault> {
  const portolan = await connect(api)
  try {
    const lease = await portolan.register({ service: 'order', id: 'evil', ...options } as RegisterOptions)
    throw new Error(`registered as ${lease.id}`)
  } catch (thrown) {
    return thrown as Fault
  } finally {
    await portolan.close({ graceMs: 0 })
  }
}

interface Why {
  readonly healthy: boolean
  readonly checks: readonly CheckStanding[]
}

const why = (id: string) => getJson<Why>(`${api}/api/v1/services/order/instances/${id}/why`)

describe('a program of the SDK', () => {
  it('has every kind of check that it may ask for', async () => {
    // Does not compile when the SDK knows a check that the registry's vocabulary does not.
    const speaksIt: CheckOptions extends z.input<typeof healthCheck> ? true : never = true
    expect(speaksIt).toBe(true)
    const server = createServer((_, response) => response.end('well')).listen(0, '127.0.0.1')
    ends.push(() => server.close())
    await until('the program', () => server.listening)
    const { port } = server.address() as AddressInfo
    const portolan = await connect(api)
    ends.push(() => portolan.close({ graceMs: 0 }))
    const checks: readonly CheckOptions[] = [
      { type: 'tcp', interval: '1s', timeout: '100ms', port },
      {
        type: 'http',
        path: '/health',
        headers: { 'X-Check': '1' },
        expect: { status: [200, '204-299'], body: 'well' },
      },
      { type: 'http', id: 'slow', method: 'HEAD', degraded: { latency: '2s', weight: 0.3 }, rise: 1 },
      { type: 'grpc', service: 'shop.Order', verify: false },
      { type: 'ttl', interval: '30s', degraded: { metric: 'queue', above: 10 } },
    ]
    await portolan.register({ service: 'order', id: 'good', port, checks })
    const { checks: standing } = await why('good')
    expect(standing.map(({ id, type }) => [id, type])).toEqual([
      ['tcp', 'tcp'],
      ['http', 'http'],
      ['slow', 'http'],
      ['grpc', 'grpc'],
      ['ttl', 'ttl'],
    ])
  })

  it('has no script run, and nobody else called', async () => {
    const script = { port: 8080, checks: [{ type: 'Custom', script: '/bin/true' }] }
    expect(await refusal(script)).toMatchObject({ code: 'check_forbidden', retryable: false })
    const url = { port: 8080, checks: [{ type: 'http', url: 'http://10.0.0.6/' }] }
    expect(await refusal(url)).toMatchObject({ code: 'target_forbidden' })
    expect(await refusal({ address: '169.254.169.254', port: 80 })).toMatchObject({
      code: 'target_forbidden',
    })
  })

  it('is not registered at our own ports, wherever on this machine', async () => {
    const own = Object.entries(networkInterfaces())
      .filter(([name]) => /^(?:lo$|e|w)/.test(name))
      .flatMap(([, list]) => list?.map(({ address }) => address) ?? [])
    expect(own.length).toBeGreaterThan(0)
    for (const address of [...own, '127.0.0.2', '::ffff:127.0.0.1']) {
      for (const port of [Number(new URL(api).port), adminPort, gatewayPort]) {
        expect(await refusal({ address, port }), `${address} ${port}`).toMatchObject({
          code: 'target_forbidden',
        })
      }
    }
  })
})
