import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultConfig, type LoadedConfig, loadConfig, readConfig } from './load.ts'
import { formatPosition, formatProblem } from './problem.ts'
import { everySection } from './testing/every-section.ts'

function load(text: string): LoadedConfig {
  const reading = readConfig(text, 'portolan.yaml')
  if (!reading.ok) throw new Error(reading.problems.map(formatProblem).join('\n'))
  return reading.loaded
}

function complaintsAbout(text: string): string {
  const reading = readConfig(text, 'portolan.yaml')
  return reading.ok ? 'it holds' : reading.problems.map(formatProblem).join('\n')
}

describe('a configuration that holds', () => {
  it('is all defaults when the file is empty', () => {
    for (const text of ['', '# only a comment\n', '---\n', '\uFEFF', 'gateway:\nservices:\n']) {
      expect(load(text).config).toEqual(defaultConfig('/').config)
    }
  })

  it('reads every section', () => {
    const { config } = load(everySection)
    expect(config.services.legacy?.instances).toEqual([
      { host: '127.0.0.1', port: 19001 },
      { host: '127.0.0.1', port: 19002 },
      { host: '127.0.0.1', port: 19003 },
    ])
    expect(config.services.cart?.run).toMatchObject({
      command: ['node', 'cart.mjs'],
      replicas: 3,
      env: {},
    })
    expect(
      config.services.order?.healthChecks?.map(({ type, interval, timeout }) => [type, interval, timeout]),
    ).toEqual([
      ['tcp', 3000, 1000],
      ['http', 5000, 2000],
      ['script', 10_000, undefined],
    ])
    expect(config.gateway.routes).toEqual([{ match: { path: '/' }, service: 'order', namespace: 'default' }])
  })

  it('warns of what does not act yet, once each, with its place', () => {
    expect(load(everySection).warnings.map(formatProblem).join('\n')).toMatchInlineSnapshot(`
      "portolan.yaml:21:17: services.order.healthChecks[2].script: there is no /opt/check_db.sh
          until there is, the check fails for all of them, and they get traffic only because all have causes
      portolan.yaml:29:5: services.order.scaling: accepted, not active in this version
          set run.replicas: the number does not change by itself yet
      portolan.yaml:30:1: alerts: accepted, not active in this version
          no alert is raised yet"
    `)
  })

  it('knows where the file names something', () => {
    const loaded = load('services:\n  cart:\n    expose: true\n')
    const position = loaded.position(['services', 'cart'])
    expect(position && formatPosition(position)).toBe('portolan.yaml:2:3')
    expect(loaded.position(['services', 'order'])).toBeUndefined()
    expect(loaded.position(['gateway'])).toBeUndefined()
  })

  it('cannot be changed', () => {
    const { config } = load('services:\n  a: { run: { command: [x] } }\n')
    expect(Object.isFrozen(config.services.a?.run?.command)).toBe(true)
    expect(() => Object.assign(config.gateway, { routes: [] })).toThrow(TypeError)
  })

  it('reads aliases as what they stand for', () => {
    const { config } = load('services:\n  a: &a { instances: ["h:1"] }\n  b: *a\n')
    expect(config.services.b).toEqual(config.services.a)
  })
})

describe('mistakes, in words', () => {
  it.each([
    ['misspelt section', 'gatway: {}\n'],
    ['misspelt key', 'services:\n  order:\n    balancr: { policy: random }\n'],
    ['key in the wrong place', 'routes: []\n'],
    ['key unlike any other', 'services:\n  order: { zzzzzz: 1 }\n'],
    ['misspelt policy', 'services:\n  order: { balancer: { policy: least-requests } }\n'],
    ['bare number as duration', 'registry:\n  lease: 3\n'],
    ['text without a unit as duration', 'registry:\n  lease: "3"\n'],
    ['no duration', 'registry: { lease: soon }\n'],
    ['no time at all', 'registry: { lease: 0s }\n'],
    ['port too high', 'services:\n  a: { instances: ["h:70000"] }\n'],
    ['port zero', 'services:\n  a: { instances: [127.0.0.1:0] }\n'],
    ['no port', 'services:\n  a: { instances: [127.0.0.1] }\n'],
    ['bare number as address', 'api: { listen: 7400 }\n'],
    ['IPv6 without quotes', 'api:\n  listen: [::1]:7400\n'],
    ['IPv6 without quotes in a list', 'api: { listen: [[::1]:7400] }\n'],
    ['the same member twice', 'services:\n  a:\n    instances: [h:1, h:1]\n'],
    ['yes for true', 'services:\n  a: { expose: yes }\n'],
    ['command as one text', 'services:\n  a: { run: { command: node app.mjs } }\n'],
    ['run as one text', 'services:\n  a: { run: node app.mjs }\n'],
    ['number in a command', 'services:\n  a: { run: { command: [sleep, 5] } }\n'],
    ['one port for several', 'services:\n  a: { run: { command: [x], replicas: 2, port: 80 } }\n'],
    ['no command', 'services:\n  a: { run: { replicas: 2 } }\n'],
    ['service name with a space', 'services:\n  a b: {}\n'],
    ['prototype as a key', 'services:\n  __proto__: {}\n'],
    ['unknown verb', 'auth: { tokens: [{ name: ci, sha256: "12", verbs: [write] }] }\n'],
    ['Custom check without script', 'services:\n  a: { healthChecks: [{ type: Custom }] }\n'],
    ['method in small letters', 'gateway: { routes: [{ match: { method: get }, service: a }] }\n'],
    ['host with a port', 'gateway: { routes: [{ match: { host: "shop.example:80" }, service: a }] }\n'],
    ['wildcard inside a host', 'gateway: { routes: [{ match: { host: "a.*.example" }, service: a }] }\n'],
    ['line break in a header', 'gateway: { routes: [{ match: { headers: { x: "a\\nb" } }, service: a }] }\n'],
    ['route to nobody', 'gateway: { routes: [{ match: { path: / } }] }\n'],
    [
      'split that cannot be',
      'gateway:\n  routes:\n    - { service: a, split: [{ service: b, weight: 1 }] }\n    - split: [{ service: a, weight: 0 }, { service: a, weight: 5% }]\n    - split: [{ service: a, weight: 0 }, { service: a, weight: 0 }]\n    - { service: a, splitBy: cookie }\n    - { service: a, splitBy: address }\n',
    ],
    [
      'redirects that cannot be',
      'gateway:\n  routes:\n    - redirect: {}\n    - redirect: { to: /x, host: y }\n    - redirect: { to: ftp://x }\n    - redirect: { path: "/x?y", status: 303 }\n    - { redirect: { to: /x }, rewrite: { path: /y }, timeout: 1s }\n    - { redirect: { host: "https://x" }, service: a }\n',
    ],
    ['no name for Via', 'gateway: { via: "1.1 x" }\n'],
    ['no network', 'gateway: { trustedProxies: [10.0.0.0/33] }\n'],
    ['a list as the whole', '- a\n'],
    ['text as the whole', 'hello\n'],
    ['key twice', 'api: {}\napi: {}\n'],
    ['tab', 'api:\n\tinsecure: true\n'],
    ['two documents', 'api: {}\n---\napi: {}\n'],
    ['quote left open', 'data: "x\n'],
    ['colon in a value', 'data: a: b\n'],
    ['tag', 'data: !secret x\n'],
    ['merge key', 'services:\n  a: &a {}\n  b:\n    <<: *a\n'],
    ['unknown alias', 'services: { a: *b }\n'],
    ['alias inside its anchor', 'services: &a { a: *a }\n'],
    ['bare number as size', 'gateway: { limits: { memory: 256 } }\n'],
    ['not a size', 'gateway: { limits: { memory: 1 TB } }\n'],
    ['several at once', 'gatway: {}\nregistry: { lease: 3 }\nservices:\n  order: { expose: 1 }\n'],
  ])('%s', (_, text) => {
    expect(complaintsAbout(text)).toMatchSnapshot()
  })

  it('ends with few words when the file nests without end, and soon', () => {
    expect(complaintsAbout('['.repeat(200_000))).toContain('nests deeper than')
    expect(complaintsAbout(`${'['.repeat(60)}${']'.repeat(60)}`)).toContain('nested deeper than')
  })

  it('stops aliases that multiply', () => {
    const levels = ['a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]']
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh']) {
      levels.push(`${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join(', ')}]`)
    }
    expect(complaintsAbout(levels.join('\n'))).toContain('more than 200000 values')
  })

  it('refuses a file that is too large', () => {
    expect(complaintsAbout(`# ${'x'.repeat(5 * 1024 * 1024)}`)).toContain('larger than 4 MiB')
  })
})

describe('files', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-config-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('reads one', async () => {
    const file = join(folder, 'good.yaml')
    await writeFile(file, 'data: state\n')
    expect(await loadConfig(file)).toMatchObject({
      file,
      folder,
      config: { data: 'state' },
    })
  })

  it.each([
    ['missing.yaml', 'there is no such file'],
    ['.', 'it is a directory'],
  ])('says that %s cannot be read', async (name, reason) => {
    const failing = loadConfig(join(folder, name))
    await expect(failing).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(reason),
    })
  })

  it('says that bytes are no text', async () => {
    const file = join(folder, 'binary.yaml')
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]))
    await expect(loadConfig(file)).rejects.toThrow(`${file}: it is not UTF-8 text`)
  })

  it('names every problem in the one error', async () => {
    const file = join(folder, 'bad.yaml')
    await writeFile(file, 'gatway: {}\nregistry: { lease: 3 }\n')
    const failing = loadConfig(file)
    await expect(failing).rejects.toThrow('there are 2 problems in the configuration')
    await expect(failing).rejects.toThrow(`${file}:1:1: unknown key "gatway"`)
    await expect(failing).rejects.toThrow(`${file}:2:20: registry.lease`)
  })
})
