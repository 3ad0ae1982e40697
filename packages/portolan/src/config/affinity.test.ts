import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serviceAffinity } from './affinity.ts'
import { readAffinitySecrets } from './affinity-secret.ts'
import { type LoadedConfig, readConfig } from './load.ts'
import { formatProblem } from './problem.ts'
import { routeTable } from './resolve.ts'

function load(text: string, file = 'portolan.yaml'): LoadedConfig {
  const found = readConfig(text, file)
  if (!found.ok) throw new Error(found.problems.map(formatProblem).join('\n'))
  return found.loaded
}

const service = (balancer: string, name = 'order') => `  ${name}:\n    balancer: { ${balancer} }\n`

/** What `portolan check` says of it. */
function said(text: string): string {
  const found = readConfig(text, 'portolan.yaml')
  const problems = found.ok ? found.loaded.warnings : found.problems
  return problems.map(formatProblem).join('\n')
}

describe('balancer.affinity', () => {
  it('goes to gateways with what it says, and a key of the service for each secret', () => {
    const text = `services:\n${service('affinity: { cookie: at, maxAge: 1h, secure: true }')}${service('affinity: { cookie: b, domain: shop.example, sameSite: strict, path: /c }', 'n/cart')}${service('policy: random', 'other')}`
    const { config } = load(text)
    expect(routeTable(config, []).affinity).toEqual({
      order: { cookie: 'at', maxAgeMs: 3_600_000, path: '/', sameSite: 'lax', secure: true },
      'n/cart': { cookie: 'b', domain: 'shop.example', path: '/c', sameSite: 'strict', secure: false },
    })
    const secrets = [Buffer.from('s'.repeat(32)), Buffer.from('t'.repeat(32))]
    const { affinity = {} } = serviceAffinity(config, secrets)
    const keys = Object.values(affinity).flatMap(({ keys = [] }) => keys)
    expect(new Set(keys).size).toBe(4)
    for (const key of keys) expect(Buffer.from(key, 'base64url')).toHaveLength(32)
    expect(serviceAffinity(config, secrets)).toEqual({ affinity })
    expect(JSON.stringify(affinity)).not.toContain('ssss')
  })

  it.each([
    ['affinity: {}', 'affinity.cookie: this key is required and missing'],
    ['affinity: { cookie: "a b" }', '"a b"'],
    ['affinity: { cookie: a, path: x }', 'a cookie’s path begins with "/"'],
    ['affinity: { cookie: a, path: "/;x" }', 'a cookie’s path begins with "/"'],
    ['affinity: { cookie: a, domain: "https://x" }', 'not a domain'],
    ['affinity: { cookie: a, maxAge: 60 }', 'say the unit'],
    ['affinity: { cookie: a, sameSite: none }', 'SameSite=None and not Secure'],
    ['affinity: { cookie: __Secure-a }', 'only with Secure'],
    ['affinity: { cookie: __Host-a, secure: true, path: /x }', 'only with the path "/"'],
    ['affinity: { cookie: __host-a, secure: true, domain: a.example }', 'only with the path "/"'],
  ])('is refused as %s', (balancer, words) => {
    const text = said(`services:\n${service(balancer)}`)
    if (words.startsWith('"')) expect(text).toContain('not a cookie’s name')
    else expect(text).toContain(words)
    expect(text).toContain('services.order.balancer.affinity')
  })

  it('is warned of where its cookie would be in somebody’s way', () => {
    const two = `services:\n${service('affinity: { cookie: at }')}${service('affinity: { cookie: at }', 'cart')}`
    expect(said(two)).toContain(
      'portolan.yaml:5:29: services.cart.balancer.affinity.cookie: order has the same cookie',
    )
    expect(said(two).match(/has the same cookie/g)).toHaveLength(1)
    expect(said(two.replace('at }', 'at, path: /x }'))).toBe('')
    expect(said(`services:\n${service('affinity: { cookie: JSESSIONID }')}`)).toContain('sessions of Java')
    const key = 'policy: maglev, hashBy: "cookie:at", affinity: { cookie: at }'
    expect(said(`services:\n${service(key)}`)).toContain('order.balancer.hashBy: this is the cookie that')
    expect(said(`services:\n${service(key.replace('cookie:at', 'cookie:sid'))}`)).toBe('')
    const split =
      'gateway:\n  routes:\n    - split: [{ service: order, weight: 1 }]\n      splitBy: cookie:at\n'
    expect(said(`${split}services:\n${service('affinity: { cookie: at }')}`)).toContain(
      'gateway.routes[0].splitBy: order issues this cookie itself',
    )
    expect(said(`${split}services:\n${service('affinity: { cookie: b }')}`)).toBe('')
  })
})

describe('gateway.affinitySecret', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-secret-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const reading = (text = 'gateway:\n  affinitySecret: its.secret\n') =>
    readAffinitySecrets(load(text, join(folder, 'portolan.yaml')))
  const long = 'x'.repeat(32)

  it('names a file with a secret a line, the one that signs first', async () => {
    expect(await reading('')).toBeUndefined()
    await writeFile(join(folder, 'its.secret'), `${long}1\r\n\n  ${long}2 \n`)
    expect((await reading())?.map(String)).toEqual([`${long}1`, `${long}2`])
  })

  it.each([
    ['', 'gateway.affinitySecret: there is no secret in'],
    [`${long}\nshort`, 'gateway.affinitySecret: secret 2 has fewer than 32 characters in'],
    [`${long}\n`.repeat(5), 'gateway.affinitySecret: there are more than 4 secrets in'],
  ])('is refused where the file holds %j', async (text, words) => {
    await writeFile(join(folder, 'its.secret'), text)
    const at = `${join(folder, 'portolan.yaml')}:2: `
    await expect(reading()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(at + words),
    })
    // No secret in a message.
    await expect(reading()).rejects.not.toMatchObject({ message: expect.stringContaining('xxx') })
  })

  it('is warned of where there is no such file, and refused when it is needed', async () => {
    const { warnings } = load('gateway:\n  affinitySecret: its.secret\n', join(folder, 'portolan.yaml'))
    expect(warnings.map(formatProblem).join('\n')).toContain(
      'portolan.yaml:2:3: gateway.affinitySecret: there is no such file',
    )
    await expect(reading()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('its.secret: there is no such file'),
    })
  })
})
