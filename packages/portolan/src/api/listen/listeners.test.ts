import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeCertificate } from '../../health/probes/testing/certificate.ts'
import { openTested } from '../testing/open-tested.ts'
import { openSession } from '../testing/session-client.ts'

let folder = ''
const file = (name: string) => join(folder, name)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-tls-'))
  writeCertificate(folder, 'localhost')
  writeFileSync(file('rubbish.pem'), 'rubbish')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function getTls(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false }, answer => text(answer).then(resolve, reject))
    asked.on('error', reject).end()
  })
}

const local = { host: '127.0.0.1', port: 0 }

describe('listeners', () => {
  it('speak TLS, the session websocket included', async () => {
    const tls = { cert: file('cert.pem'), key: file('key.pem') }
    const tested = await openTested({ settings: { listen: [local], tls } })
    expect(tested.url).toMatch(/^https:/)
    expect(await getTls(`${tested.url}/healthz`)).toBe('ok\n')
    await expect(fetch(tested.url.replace('https', 'http'))).rejects.toThrow()
    const session = await openSession(tested.url, { rejectUnauthorized: false })
    await session.close()
    await tested.close()
  })

  it('may be reached from elsewhere with TLS and tokens, and not with less', async () => {
    const listen = [{ host: '0.0.0.0', port: 0 }]
    const tls = { cert: file('cert.pem'), key: file('key.pem') }
    await expect(openTested({ settings: { listen } })).rejects.toMatchObject({ code: 'tls_required' })
    await expect(openTested({ settings: { listen, tls } })).rejects.toMatchObject({ code: 'tls_required' })
    await expect(openTested({ settings: { listen }, anonymous: 'none' })).rejects.toMatchObject({
      code: 'tls_required',
      hint: expect.stringContaining('--insecure'),
    })
    for (const settings of [
      { listen, tls },
      { listen, insecure: true },
    ]) {
      await (await openTested({ settings, anonymous: 'none' })).close()
    }
  })

  it.each([
    ['cert.pem', 'absent.pem'],
    ['rubbish.pem', 'key.pem'],
  ])('say what is wrong with %s and %s', async (cert, key) => {
    const tls = { cert: file(cert), key: file(key) }
    await expect(openTested({ settings: { listen: [local], tls } })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(key),
    })
  })

  it('share one port where several addresses ask for any', async () => {
    const tested = await openTested({ settings: { listen: [local, { host: '127.0.0.2', port: 0 }] } })
    const ports = tested.api.addresses.map(address => new URL(address).port)
    expect(ports).toHaveLength(2)
    expect(new Set(ports).size).toBe(1)
    for (const address of tested.api.addresses) expect((await fetch(`${address}/healthz`)).status).toBe(200)
    await tested.close()
  })

  it('name the address that is in use, and leave none open', async () => {
    const first = await openTested()
    const taken = { host: '127.0.0.1', port: first.port }
    await expect(openTested({ settings: { listen: [local, taken] } })).rejects.toMatchObject({
      code: 'address_in_use',
      message: expect.stringContaining(String(first.port)),
    })
    await first.close()
  })

  it('close with sessions and streams open', async () => {
    const tested = await openTested()
    const session = await openSession(tested.url)
    const stream = await fetch(`${tested.url}/api/v1/services/order/instances`, {
      headers: { accept: 'text/event-stream' },
    })
    await tested.close()
    expect(await session.closed).toBe(1001)
    expect(await stream.text()).toContain('event: synced')
    await expect(fetch(tested.url)).rejects.toThrow()
  })
})
