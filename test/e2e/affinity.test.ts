import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Processes, until } from './processes.ts'

const processes = new Processes()

afterEach(() => processes.endAll())

/** Says its name. */
const instance = (name: string) => processes.instance((_, answer) => answer.end(name))

interface Answer {
  readonly by: string
  /** To be sent back; `undefined`: the answer brings none. */
  readonly cookie: string | undefined
}

async function ask(port: number, cookie?: string): Promise<Answer> {
  const headers = { connection: 'close', ...(cookie === undefined ? {} : { cookie }) }
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers })
  const by = answer.ok ? await answer.text() : ''
  return { by, cookie: answer.headers.get('set-cookie')?.split(';')[0] }
}

/** Waits until the gateway keeps the client there. */
const kept = (port: number, { by, cookie }: Answer) =>
  until(`${by} on ${port}`, async () => {
    const answer = await ask(port, cookie).catch(() => undefined)
    return answer?.by === by && answer.cookie === undefined
  })

describe('cookies of affinity', () => {
  it('hold in all gateways, over restarts, and until their secret is gone from its file', async () => {
    const [api, port, admin, otherPort, otherAdmin] = await Promise.all(Array.from({ length: 5 }, freePort))
    if (port === undefined || otherPort === undefined) throw new Error('no ports')
    const instances = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(instance))
    const configuration = (secret = '') => `
api: { listen: 127.0.0.1:${api} }
gateway:
  listen: 127.0.0.1:${port}
  admin: 127.0.0.1:${admin}
  ${secret}
  routes: [{ match: {}, service: order }]
services:
  order:
    instances: ${JSON.stringify(instances)}
    balancer: { affinity: { cookie: at } }
`
    const directory = processes.directory()
    const file = processes.file('portolan.yaml', configuration(), directory)
    const up = () => processes.up(['--config', file, '--data', join(directory, 'data')])
    const server = await up()
    processes.portolan([
      'lb',
      ...['--join', `http://127.0.0.1:${api}`, '--listen', `127.0.0.1:${otherPort}`],
      ...['--admin', `127.0.0.1:${otherAdmin}`],
    ])
    const first = await until('an answer', async () => {
      const answer = await ask(port).catch(() => undefined)
      return answer?.cookie !== undefined && answer
    })
    await kept(port, first)
    await kept(otherPort, first)

    await server.end('SIGTERM')
    await up()
    await kept(port, first)

    const secret = join(directory, 'its.secret')
    writeFileSync(secret, `${'one '.repeat(10)}\n`)
    writeFileSync(file, configuration('affinitySecret: its.secret'))
    const second = await until('a cookie of the file’s secret', async () => {
      const answer = await ask(port, first.cookie)
      return answer.cookie !== undefined && answer
    })
    await kept(otherPort, second)

    // Beside a newer one the old one holds, and cookies of the newer one come in its place.
    writeFileSync(secret, `${'two '.repeat(10)}\n${'one '.repeat(10)}\n`)
    writeFileSync(file, configuration('affinitySecret: its.secret # again'))
    const third = await until('a cookie of the newer secret', async () => {
      const answer = await ask(port, second.cookie)
      expect(answer.by).toBe(second.by)
      return answer.cookie !== undefined && answer
    })
    expect(third.by).toBe(second.by)
    await kept(otherPort, third)
  }, 90_000)
})
