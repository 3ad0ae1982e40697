import { Agent, get } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Processes, until } from './processes.ts'
import { healthyOf, shopConfig } from './shop-config.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

function order(agent: Agent, gateway: string, number: number): Promise<{ status: number; instance: string }> {
  return new Promise((resolve, reject) => {
    get(`${gateway}/orders/${number}`, { agent, headers: { host: 'order.portolan' } }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => {
        const { instance } = JSON.parse(text) as { instance: string }
        resolve({ status: response.statusCode ?? 0, instance })
      })
      response.on('error', reject)
    }).on('error', reject)
  })
}

describe('the shop', () => {
  it('serves 3,000 orders over one connection, evenly, with its own load beside', async () => {
    const shop = await shopConfig(processes)
    const up = await processes.up(shop.args)
    await until('three healthy orders', async () => (await healthyOf(shop.api, 'order')).length === 3)

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const shares = new Map<string, number>()
    for (let i = 0; i < 3000; i++) {
      const { status, instance } = await order(agent, shop.gateway, i)
      expect(status).toBe(200)
      shares.set(instance, (shares.get(instance) ?? 0) + 1)
    }
    agent.destroy()

    expect([...shares.keys()].sort()).toEqual(['order-1', 'order-2', 'order-3'])
    for (const count of shares.values()) expect(Math.abs(count - 1000)).toBeLessThan(100)
    await until('a line of the visitors', () => /orders\/s, 0 failed/.test(up.output()))
    expect(await up.end('SIGINT')).toBe(0)
  })

  it('ends everything that it started', async () => {
    const shop = await shopConfig(processes)
    const up = await processes.up(shop.args)
    const pids = await until('seven pids', async () => {
      const all = await Promise.all(['order', 'payment', 'cart'].map(name => healthyOf(shop.api, name)))
      const found = all.flat().map(instance => Number(instance.metadata.pid))
      return found.length === 7 && found
    })
    for (const pid of pids) expect(() => process.kill(pid, 0)).not.toThrow()
    await up.end('SIGINT')
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow()
    await expect(fetch(shop.gateway)).rejects.toThrow()
  })
})
