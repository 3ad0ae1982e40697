import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { getJson, Processes, until } from './processes.ts'

const processes = new Processes()
afterEach(() => processes.endAll())

it('a reload changes trusted proxies and tokens at once, and names what waits for the next start', async () => {
  const backend = await processes.instance((request, response) => {
    response.end(String(request.headers['x-forwarded-for']))
  })
  const [api, gateway, admin] = [await freePort(), await freePort(), await freePort()]
  const secret = `ptl_${randomBytes(32).toString('base64url')}`
  const sha256 = createHash('sha256').update(secret).digest('hex')
  const configured = (more: object, tokens: readonly object[] = []): string =>
    JSON.stringify({
      api: { listen: [`127.0.0.1:${api}`] },
      auth: { tokens },
      gateway: {
        listen: `127.0.0.1:${gateway}`,
        admin: `127.0.0.1:${admin}`,
        routes: [{ service: 'a' }],
        ...more,
      },
      services: { a: { instances: [backend] } },
    })
  const directory = processes.directory()
  const file = processes.file(
    'portolan.yaml',
    configured({}, [{ name: 'ops', sha256, verbs: ['read'] }]),
    directory,
  )
  const up = await processes.up(['--config', file, '--data', join(directory, 'data')])
  const asked = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${gateway}/`, {
      headers: { 'x-forwarded-for': '192.0.2.1' },
    })
    return answer.text()
  }
  const config = `http://127.0.0.1:${api}/api/v1/config`
  const bearing = (): Promise<Response> => fetch(config, { headers: { authorization: `Bearer ${secret}` } })
  await until('the backend', async () => (await asked()) === '127.0.0.1')
  expect((await bearing()).status).toBe(200)
  expect(await getJson(config)).toEqual({ atNextStart: [] })

  writeFileSync(file, configured({ trustedProxies: ['127.0.0.1'], zone: 'a', listen: `127.0.0.1:${admin}` }))
  await until('the reload', () =>
    up
      .output()
      .includes(
        'the configuration was loaded again; gateway.listen and gateway.zone take effect at the next start\n',
      ),
  )
  expect(await getJson(config)).toEqual({ atNextStart: ['gateway.listen', 'gateway.zone'] })
  expect((await bearing()).status).toBe(401)
  await until('trust', async () => (await asked()) === '192.0.2.1, 127.0.0.1')

  const doctor = processes.portolan(['doctor', '--config', file, '--url', `http://127.0.0.1:${api}`])
  await until('the doctor’s finding', () =>
    doctor.output().includes('gateway.listen and gateway.zone take effect at the next start'),
  )
  writeFileSync(file, configured({}))
  await until('nothing to wait for', () => /the configuration was loaded again\n/.test(up.output()))
  expect(await getJson(config)).toEqual({ atNextStart: [] })
})
