import { chmodSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import type { Instance } from '@portolan/core'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { processesWith } from '../../packages/portolan/src/health/probes/testing/scripts.ts'
import { freePort } from '../ports.ts'
import { throughGateway } from './load.ts'
import { getJson, Processes, root, until } from './processes.ts'

const processes = new Processes()
const agent = new Agent({ keepAlive: true })
afterEach(() => processes.endAll())
afterAll(() => agent.destroy())

/** Looks into a file of the instance's name beside it, and does as that says. */
const obedient = `#!/bin/sh
case $(cat "$(dirname "$0")/$PORTOLAN_INSTANCE" 2>/dev/null) in
  broken) echo "trying $PORTOLAN_ADDRESS:$PORTOLAN_PORT"; echo "no database" >&2; exit 2 ;;
  behind) echo "portolan_metric lag 9"; echo "the replica is behind"; exit 1 ;;
  hangs) echo "connecting"; setsid sleep 60123 & sleep 60123 ;;
esac
`

async function open(services: string, words: Readonly<Record<string, string>> = {}) {
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const directory = processes.directory()
  const script = processes.file('check.sh', obedient, directory)
  chmodSync(script, 0o755)
  const file = processes.file(
    'portolan.yaml',
    `api: { listen: ["127.0.0.1:${api}"] }
gateway: { listen: "127.0.0.1:${gateway}", admin: "127.0.0.1:${admin}" }
services: ${services}
`,
    directory,
  )
  const args = ['--config', file, '--data', `${directory}/data`]
  for (const [id, word] of Object.entries(words)) writeFileSync(join(directory, id), word)
  let server = await processes.up(args)
  const url = `http://127.0.0.1:${api}`
  const find = async (service: string, id: string): Promise<Instance | undefined> => {
    const path = `${url}/api/v1/services/${service}/instances`
    const { instances } = await getJson<{ instances: readonly Instance[] }>(path)
    return instances.find(instance => instance.id === id)
  }
  return {
    url,
    find,
    directory,
    tell: (id: string, word: string) => writeFileSync(join(directory, id), word),
    healthy: (service: string, id: string) =>
      until(`${id} without a cause`, async () => (await find(service, id))?.causes.length === 0),
    /** The cause of that kind, once it is there. */
    cause: (service: string, id: string, kind: string) =>
      until(`a cause ${kind} of ${id}`, async () =>
        (await find(service, id))?.causes.find(cause => cause.kind === kind),
      ),
    /** Who answers through the gateway, of some requests in a row. */
    async picked(service: string): Promise<readonly string[]> {
      const names = new Set<string>()
      const send = throughGateway(agent, `http://127.0.0.1:${gateway}`, `${service}.portolan`)
      for (let request = 0; request < 20; request++) names.add((await send(request)).instance ?? 'nobody')
      return [...names].sort()
    },
    end: (signal: NodeJS.Signals) => server.end(signal),
    async again(): Promise<void> {
      server = await processes.up(args)
    },
    async why(id: string): Promise<string> {
      const asked = processes.portolan(['why', id, '--url', url])
      await until('the answer', () => asked.child.exitCode !== null)
      return asked.output()
    },
  }
}

describe('a script of the server’s own file', () => {
  it('takes its instance out and lets it back, lowers its weight, and leaves nothing when it hangs', async () => {
    const { tell, healthy, cause, find, picked, why } = await open(`
  echo:
    run: { command: [node, ${root}test/e2e/programs/echo.mjs], replicas: 2 }
    healthChecks:
      - { type: TCP }
      - { type: Custom, id: db, script: check.sh, interval: 1500ms, timeout: 1400ms, rise: 1, degraded: { metric: lag, above: 5, weight: 0.25 } }`)
    await healthy('echo', 'echo-1')
    await healthy('echo', 'echo-2')
    expect(await until('both', async () => (await picked('echo')).length === 2)).toBe(true)

    tell('echo-1', 'broken')
    expect(await cause('echo', 'echo-1', 'script')).toMatchObject({
      owner: 'db',
      reason: expect.stringMatching(/check\.sh ended with status 2: no database$/),
    })
    await until('no pick of it', async () => (await picked('echo')).join() === 'echo-2')
    expect(await why('echo-1')).toMatch(/no database/)
    expect((await find('echo', 'echo-2'))?.causes).toEqual([])

    tell('echo-1', 'well')
    await healthy('echo', 'echo-1')
    await until('both again', async () => (await picked('echo')).length === 2)

    tell('echo-2', 'behind')
    const slowed = await until('a lower weight', async () => {
      const instance = await find('echo', 'echo-2')
      return instance?.degraded?.length === 1 && instance
    })
    expect(slowed).toMatchObject({ weight: 0.25, causes: [], degraded: [{ owner: 'db', factor: 0.25 }] })

    tell('echo-1', 'hangs')
    expect((await cause('echo', 'echo-1', 'script')).reason).toMatch(
      /^still running after 1400ms; its last line: connecting$/,
    )
    tell('echo-1', 'well')
    await healthy('echo', 'echo-1')
    await until('the end of what hung', () => processesWith('sleep\x0060123').length === 0)
  })
})

describe('a script that hangs', () => {
  it('ends with its server, and after a server that was killed', async () => {
    const hanging = (): number => processesWith('sleep\x0060123').length
    const { end, again } = await open(
      `
  legacy:
    instances: [127.0.0.1:1]
    healthChecks: [{ type: Custom, script: check.sh, interval: 1h, timeout: 10m }]`,
      { '127.0.0.1-1': 'hangs' },
    )
    await until('a script and what it has started', () => hanging() === 2)
    await end('SIGTERM')
    expect(hanging()).toBe(0)
    await again()
    await until('the script again', () => hanging() === 2)
    await end('SIGKILL')
    const before = new Set(processesWith('sleep\x0060123'))
    expect(before.size).toBe(2)
    await again()
    await until('others in their place', () => {
      const now = processesWith('sleep\x0060123')
      return now.length === 2 && !now.some(pid => before.has(pid))
    })
  })
})

describe('portolan run --check', () => {
  it('reports what a program beside it finds, and takes it out and back', async () => {
    const { url, tell, healthy, cause, find, directory, why } = await open('{}')
    const port = await freePort()
    processes.portolan(
      [
        ...['run', '--url', url, '--service', 'mail', '--id', 'mail-1', '--port', String(port)],
        ...['--check', './check.sh', '--check-interval', '1500ms', '--check-timeout', '1400ms'],
        ...['--', process.execPath, `${root}test/e2e/programs/echo.mjs`],
      ],
      { PORT: String(port) },
      directory,
    )
    await healthy('mail', 'mail-1')
    tell('mail-1', 'broken')
    expect(await cause('mail', 'mail-1', 'ttl')).toMatchObject({
      owner: 'check',
      reason: expect.stringMatching(/check\.sh ended with status 2: no database$/),
    })
    expect(await why('mail-1')).toMatch(/no database/)
    tell('mail-1', 'well')
    await healthy('mail', 'mail-1')
    tell('mail-1', 'behind')
    await until('a lower weight', async () => (await find('mail', 'mail-1'))?.weight === 0.5)
  })
})
