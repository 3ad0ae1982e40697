import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Processes, until } from './processes.ts'

const processes = new Processes()

afterEach(() => processes.endAll())

/** Says its name and what it was asked for; of `/slow` nothing. */
const instance = (name: string) =>
  processes.instance((asked, answer) => {
    if (asked.url !== '/slow') answer.end(`${name} ${asked.url}`)
  })

interface Asked {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

function ask(port: number, { path, method = 'GET', headers = {}, body }: Asked): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method, headers, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', piece => {
        text += piece
      })
      answer.on('end', () => {
        const { location, 'portolan-error': code } = answer.headers
        resolve(`${answer.statusCode} ${location ?? code ?? text}`)
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('routes of portolan.yaml', () => {
  it('reach the gateway, whatever they do with requests, and otherwise after a change of the file', async () => {
    const [api, port, admin] = [await freePort(), await freePort(), await freePort()]
    const [old, next] = [await instance('old'), await instance('next')]
    const configuration = (weight: number) => `
api: { listen: 127.0.0.1:${api} }
gateway:
  listen: 127.0.0.1:${port}
  admin: 127.0.0.1:${admin}
  maxBody: 1KiB
  routes:
    - match: { host: "*.shop.example" }
      redirect: { host: shop.example, status: 302 }
    - match: { path: /slow }
      service: order
      timeout: 200ms
    - match: { path: /api, method: GET, headers: { X-Canary: "1" } }
      service: order-next
      rewrite: { path: /v2 }
    - match: { path: /api }
      split: [{ service: order, weight: 1 }, { service: order-next, weight: ${weight} }]
services:
  order: { instances: ["${old}"] }
  order-next: { instances: ["${next}"] }
`
    const directory = processes.directory()
    const file = processes.file('portolan.yaml', configuration(0), directory)
    await processes.up(['--config', file, '--data', `${directory}/data`])
    const plain = { path: '/api/x' }
    await until('both services', async () => {
      const canary = await ask(port, { path: '/api/x?y', headers: { 'x-canary': '1' } })
      return canary === '200 next /v2/x?y' && (await ask(port, plain)) === '200 old /api/x'
    })
    expect(await ask(port, { path: '/a?b', headers: { host: 'www.Shop.example:80' } })).toBe(
      '302 //shop.example/a?b',
    )
    expect(await ask(port, { path: '/slow' })).toBe('504 deadline_exceeded')
    expect(await ask(port, { path: '/api', method: 'POST', body: 'x'.repeat(1025) })).toBe(
      '413 body_too_large',
    )
    for (let i = 0; i < 20; i++) expect(await ask(port, plain)).toBe('200 old /api/x')
    writeFileSync(file, configuration(1_000_000))
    await until('the other side', async () => (await ask(port, plain)) === '200 next /api/x')
  }, 90_000)
})
