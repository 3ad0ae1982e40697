import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { getJson, Processes, until } from './processes.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

interface Listed {
  readonly instances: readonly {
    readonly id: string
    readonly weight: number
    readonly causes: readonly { kind: string }[]
  }[]
}

describe('SIGKILL of the server while 5,000 instances register', () => {
  it('keeps everything acknowledged, every override, and grows its revision; clients come back by themselves', async () => {
    const port = await freePort()
    const directory = processes.directory()
    const url = `http://127.0.0.1:${port}`
    const file = processes.file('portolan.yaml', `api: { listen: ["127.0.0.1:${port}"] }\n`, directory)
    const args = ['--config', file, '--data', `${directory}/data`, '--roles', 'registry']
    const first = await processes.up(args)

    const pinned = `${url}/api/v1/services/pinned/instances/p-1`
    const json = { 'content-type': 'application/json' }
    const alive = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
    await once(alive, 'listening')
    const body = JSON.stringify({ port: (alive.address() as AddressInfo).port })
    const beat = () =>
      fetch(`${pinned}/heartbeat`, { method: 'POST', headers: json, body }).catch(() => undefined)
    await beat()
    const beating = setInterval(beat, 2000)
    const override = await fetch(`${pinned}/override`, {
      method: 'PUT',
      headers: json,
      body: JSON.stringify({ weight: 7, outOfService: true }),
    })
    expect(override.status).toBe(200)

    const registrants = [0, 1, 2, 3, 4].map(n =>
      processes.node(['test/e2e/programs/registrant.ts', url, 'crowd', '1000', `r${n}`]),
    )
    const acknowledged = (): string[] =>
      registrants.flatMap(({ output }) =>
        [...output().matchAll(/^ack (\S+)$/gm)].map(match => match[1] ?? ''),
      )
    await until('half of them', () => acknowledged().length > 1500, 60_000)
    const before = await fetch(`${url}/api/v1/services/crowd/instances`)
    const revision = Number(before.headers.get('portolan-revision')?.split('.')[1])
    await before.arrayBuffer()
    await first.end('SIGKILL')
    const known = acknowledged()

    const start = performance.now()
    await processes.up(args)
    const after = await fetch(`${url}/api/v1/services/crowd/instances`)
    const restored = ((await after.json()) as Listed).instances.map(instance => instance.id)
    expect(Number(after.headers.get('portolan-revision')?.split('.')[1])).toBeGreaterThanOrEqual(revision)
    expect(known.filter(id => !restored.includes(id))).toEqual([])

    await until(
      'all 5,000',
      () => registrants.every(({ output }) => /^all 1000$/m.test(output())),
      60_000,
    ).catch(error => {
      throw new Error(`${error}: ${registrants.map(({ output }) => output().slice(-300)).join('\n---\n')}`)
    })
    const everyone = async (): Promise<number> => {
      const { instances } = await getJson<Listed>(`${url}/api/v1/services/crowd/instances`)
      return instances.filter(instance => instance.causes.length === 0).length
    }
    await until('5,000 healthy', async () => (await everyone()) === 5000, 60_000)
    const seconds = (performance.now() - start) / 1000
    const kept = await getJson<Listed>(`${url}/api/v1/services/pinned/instances`)
    expect(kept.instances[0]).toMatchObject({ id: 'p-1', weight: 7 })
    expect(kept.instances[0]?.causes.map(cause => cause.kind)).toContain('operator')
    clearInterval(beating)
    alive.close()
    console.info(
      `acknowledged before the kill ${known.length}, all 5,000 healthy after ${seconds.toFixed(1)} s`,
    )
  })
})
