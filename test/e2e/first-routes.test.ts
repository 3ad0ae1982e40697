import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { portOwner } from '../../packages/portolan/src/cli/port-owner.ts'
import { freePort } from '../ports.ts'
import { Processes, until } from './processes.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

/** `STATUS code-or-body`, or how the connection failed. */
function ask(port: number, host: string): Promise<string> {
  return new Promise(resolve => {
    const sent = request({ port, host: '127.0.0.1', headers: { host }, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', piece => {
        text += piece
      })
      answer.on('end', () => {
        const { 'portolan-error': code, 'retry-after': after } = answer.headers
        resolve(`${answer.statusCode} ${code ?? text}${after === undefined ? '' : ` after ${after}`}`)
      })
      answer.on('error', error => resolve(String(error)))
    })
    sent.on('error', error => resolve(String(error)))
    sent.end()
  })
}

/** A service that nobody may ask without a word from a hook, which never gives it; and one that a route leads to. */
async function guarded() {
  const instance = await processes.instance((_, answer) => answer.end('SECRET'))
  const hook = await processes.instance((_, answer) => answer.writeHead(401).end())
  const [api, port, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const file = processes.file(
    'portolan.yaml',
    `
api: { listen: "127.0.0.1:${api}" }
gateway:
  listen: "127.0.0.1:${port}"
  admin: "127.0.0.1:${admin}"
  routes: [{ match: { host: app.test }, service: app }]
services:
  app: { instances: ["${instance}"] }
  vault: { instances: ["${instance}"], auth: { url: "http://${hook}/check" } }
`,
    directory,
  )
  const up = (roles: string) =>
    processes.up(['--config', file, '--data', `${directory}/data`, '--roles', roles])
  return { url: `http://127.0.0.1:${api}`, port, admin, up }
}

describe('a gateway that starts', () => {
  it('serves nobody before a registry has told it its routes', async () => {
    const { url, port, admin, up } = await guarded()
    const where = ['--listen', `127.0.0.1:${port}`, '--admin', `127.0.0.1:${admin}`]
    const lb = processes.portolan(['lb', '--join', url, ...where])
    await until('the gateway', () => lb.output().includes('gateway listens'), 60_000)
    for (const host of ['vault.portolan', 'app.test', 'nobody.test'])
      expect(await ask(port, host)).toBe('503 not_ready after 1')
    expect((await fetch(`http://127.0.0.1:${admin}/readyz`)).status).toBe(503)

    const answers = { vault: new Set<string>(), app: new Set<string>() }
    const registry = up('registry')
    await until(
      'the routes',
      async () => {
        answers.vault.add(await ask(port, 'vault.portolan'))
        answers.app.add(await ask(port, 'app.test'))
        return answers.app.has('200 SECRET') && answers.vault.has('401 auth_required')
      },
      60_000,
    )
    expect([...answers.vault]).toEqual(['503 not_ready after 1', '401 auth_required'])
    // Its instances may be known a moment later than the routes.
    expect([...answers.app]).toEqual(['503 not_ready after 1', '200 SECRET'])

    // What it has been told once holds, whoever is lost.
    await (await registry).end('SIGKILL')
    for (let i = 0; i < 20; i++) {
      expect(await ask(port, 'vault.portolan')).toBe('401 auth_required')
      expect(await ask(port, 'app.test')).toBe('200 SECRET')
    }
  }, 120_000)

  it('anew lets nobody pass by its filters, and loses no route, while everybody asks', async () => {
    const { port, up } = await guarded()
    await up('registry,gateway')
    const hosts = ['vault.portolan', 'app.test'] as const
    const answers = new Map<string, number>()
    let [served, refused, over] = [0, 0, false]
    const asking = hosts.flatMap(host =>
      Array.from({ length: 4 }, async () => {
        while (!over) {
          const answer = await ask(port, host)
          if (answer.includes('ECONNREFUSED')) refused++
          else if (!answer.startsWith('Error')) served++
          answers.set(`${host} ${answer}`, (answers.get(`${host} ${answer}`) ?? 0) + 1)
          await new Promise(resolve => setTimeout(resolve, 1))
        }
      }),
    )
    for (let i = 0; i < 4; i++) {
      await until('answers', () => served > 100)
      const { pid } = portOwner(port) ?? {}
      if (pid === undefined) throw new Error('who listens?')
      refused = 0
      process.kill(pid, 'SIGKILL')
      await until('it is gone', () => refused > 0)
      served = 0
    }
    await until('answers', () => served > 100)
    over = true
    await Promise.all(asking)
    const told = [...answers.keys()].filter(answer => !/ Error: /.test(answer))
    // A hook that a busy machine reaches too late keeps the door shut, too.
    const isExpected = (answer: string) =>
      /^vault.portolan (401 auth_required|503 auth_unavailable)|^app.test 200 SECRET$/.test(answer)
    expect(told.filter(answer => !isExpected(answer))).toEqual([])
    expect(told).toContain('app.test 200 SECRET')
  }, 120_000)
})
