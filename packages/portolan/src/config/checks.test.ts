import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkDefaults, healthRules } from '@portolan/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LoadedConfig, readConfig } from './load.ts'
import { formatProblem } from './problem.ts'
import { checksOf, healthLimits } from './resolve.ts'
import { everySection } from './testing/every-section.ts'

function load(text: string, file = '/etc/portolan.yaml'): LoadedConfig {
  const reading = readConfig(text, file)
  if (!reading.ok) throw new Error(reading.problems.map(formatProblem).join('\n'))
  return reading.loaded
}

const order = { namespace: 'default', service: 'order' }

/** The checks of `order`, written as a list in flow style. */
function checks(list: string, file?: string) {
  return checksOf(load(`services: { order: { healthChecks: ${list} } }\n`, file))(order)
}

describe('the checks that a file gives to a service', () => {
  it('are those that it writes', () => {
    expect(checksOf(load(everySection))(order)).toEqual([
      { type: 'tcp', id: 'tcp', intervalMs: 3000, timeoutMs: 1000, rise: 2 },
      {
        type: 'http',
        id: 'http',
        intervalMs: 5000,
        timeoutMs: 2000,
        rise: 2,
        method: 'GET',
        path: '/health',
        headers: {},
        statuses: [[200, 299]],
      },
      {
        type: 'script',
        id: 'script',
        intervalMs: 10_000,
        timeoutMs: 5000,
        rise: 2,
        command: ['/opt/check_db.sh'],
      },
    ])
  })

  it('are not the same as none, when it says nothing', () => {
    const loaded = load(
      'services: { order: {}, cart: { healthChecks: [] }, eu/order: { healthChecks: [] } }\n',
    )
    expect(checksOf(loaded)(order)).toBeUndefined()
    expect(checksOf(loaded)({ namespace: 'default', service: 'cart' })).toEqual([])
    expect(checksOf(loaded)({ namespace: 'eu', service: 'order' })).toEqual([])
    expect(checksOf(loaded)({ namespace: 'default', service: 'stranger' })).toBeUndefined()
  })

  it('have the defaults of the table', () => {
    const { intervalMs, timeoutMs, rise } = checkDefaults
    expect(checks('[{ type: TCP }]')).toEqual([{ type: 'tcp', id: 'tcp', intervalMs, timeoutMs, rise }])
    expect(checks('[{ type: gRPC, degraded: { latency: 1s } }]')).toMatchObject([
      { service: '', degraded: { latencyMs: 1000, weight: checkDefaults.degradedWeight } },
    ])
    expect(healthLimits(load('').config)).toEqual({
      budget: 0.05,
      freePerSecond: 10,
      maxPerSecond: 10_000,
      concurrency: 512,
      rules: healthRules,
    })
  })

  it('wait for half of a short interval, where they do not say how long', () => {
    expect(checks('[{ type: TCP, interval: 300ms }]')).toMatchObject([{ timeoutMs: 150 }])
  })

  it('know their types in capitals or not', () => {
    const types = checks('[{ type: tcp }, { type: Http }, { type: GRPC }, { type: ttl, interval: 1s }]')
    expect(types?.map(({ type }) => type)).toEqual(['tcp', 'http', 'grpc', 'ttl'])
    expect(checks('[{ type: script, script: /x }, { type: CUSTOM, command: [/y, -q] }]')).toMatchObject([
      { id: 'script', command: ['/x'] },
      { id: 'script-2', command: ['/y', '-q'] },
    ])
  })

  it('are called after their type, and never twice the same', () => {
    const list = '[{ type: HTTP }, { type: HTTP, id: http-2 }, { type: HTTP }, { type: HTTP, name: deep }]'
    expect(checks(list)?.map(({ id }) => id)).toEqual(['http', 'http-2', 'http-3', 'deep'])
  })

  it('say everything that a check can', () => {
    const text = `
services:
  order:
    healthChecks:
      - type: HTTP
        id: deep
        port: admin
        method: POST
        path: /deep?full=1
        headers: { X-Check: portolan, Host: shop.example }
        expect: { status: [200, 301-302], body: ok }
        tls: true
        verify: false
        rise: 3
        degraded: { latency: 250ms, weight: 0.2 }
      - { type: gRPC, service: shop.Order, port: 9090, expect: }
      - { type: TTL, interval: 30s, degraded: { metric: queue.length, above: 100 } }
`
    expect(checksOf(load(text))(order)).toEqual([
      {
        type: 'http',
        id: 'deep',
        port: 'admin',
        intervalMs: 1000,
        timeoutMs: 500,
        rise: 3,
        method: 'POST',
        path: '/deep?full=1',
        headers: { 'X-Check': 'portolan', Host: 'shop.example' },
        statuses: [
          [200, 200],
          [301, 302],
        ],
        body: 'ok',
        tls: true,
        verify: false,
        degraded: { latencyMs: 250, weight: 0.2 },
      },
      {
        type: 'grpc',
        id: 'grpc',
        port: 9090,
        intervalMs: 1000,
        timeoutMs: 500,
        rise: 2,
        service: 'shop.Order',
      },
      {
        type: 'ttl',
        id: 'ttl',
        intervalMs: 30_000,
        timeoutMs: 500,
        rise: 1,
        degraded: { metric: { name: 'queue.length', above: 100 }, weight: 0.5 },
      },
    ])
  })
})

describe('mistakes in checks, in words', () => {
  it.each([
    ['an unknown type', '{ type: HTPP }'],
    ['a type unlike any other', '{ type: ICMP }'],
    ['no type', '{ path: / }'],
    ['a misspelt key', '{ type: TCP, intervall: 1s }'],
    ['an interval below the floor', '{ type: TCP, interval: 99ms }'],
    ['an interval of days', '{ type: TCP, interval: 2d }'],
    ['a time-out like the interval', '{ type: TCP, interval: 1s, timeout: 1s }'],
    ['a time-out longer than the default interval', '{ type: TCP, timeout: 5s }'],
    ['two checks of one name', '{ type: TCP, id: a }, { type: HTTP, name: a }'],
    ['id and name', '{ type: TCP, id: a, name: b }'],
    ['a name with a slash', '{ type: TCP, id: a/b }'],
    ['a script of a TCP check', '{ type: TCP, script: /x }'],
    ['a path of a gRPC check', '{ type: gRPC, path: /x }'],
    ['a Custom check without script', '{ type: Custom }'],
    ['script and command', '{ type: Custom, script: /x, command: [/x] }'],
    ['a command as one text', '{ type: Custom, command: ls -l }'],
    ['a TTL check without interval', '{ type: TTL }'],
    ['a TTL check with a time-out', '{ type: TTL, interval: 1s, timeout: 10ms }'],
    ['a path of another host', '{ type: HTTP, path: "http://h/x" }'],
    ['a path that begins another host', '{ type: HTTP, path: //h/x }'],
    ['a path with a space', '{ type: HTTP, path: "/a b" }'],
    ['a method that changes things', '{ type: HTTP, method: DELETE }'],
    ['a header with a line break', '{ type: HTTP, headers: { a: "b\\r\\nc: d" } }'],
    ['a header of the connection', '{ type: HTTP, headers: { Transfer-Encoding: chunked } }'],
    ['a status that is none', '{ type: HTTP, expect: { status: 700 } }'],
    ['statuses backwards', '{ type: HTTP, expect: { status: 299-200 } }'],
    ['a status in words', '{ type: HTTP, expect: { status: ok } }'],
    ['a metric of a TCP check', '{ type: TCP, degraded: { metric: a, above: 1 } }'],
    ['a metric without a value', '{ type: Custom, script: /x, degraded: { metric: a } }'],
    ['degraded without a when', '{ type: TCP, degraded: { weight: 0.1 } }'],
    ['a weight that is whole', '{ type: TCP, degraded: { latency: 1s, weight: 1 } }'],
    ['no rise', '{ type: TCP, rise: 0 }'],
    ['port zero', '{ type: TCP, port: 0 }'],
    ['a port that is a list', '{ type: TCP, port: [80] }'],
  ])('%s', (_, list) => {
    const reading = readConfig(`services:\n  order:\n    healthChecks: [${list}]\n`, 'portolan.yaml')
    expect(reading.ok ? 'it holds' : reading.problems.map(formatProblem).join('\n')).toMatchSnapshot()
  })

  it.each([
    ['health: { budget: 0.05 }'],
    ['health: { budget: 0% }'],
    ['health: { freePerSecond: -1 }'],
    ['health: { budget: 101% }'],
    ['health: { rules: { rechecks: 0 } }'],
    ['registry: { allowTargets: [localhost:80] }'],
    ['registry: { allowTargets: [169.254.0.0/40] }'],
  ])('%s', text => {
    const reading = readConfig(text, 'portolan.yaml')
    expect(reading.ok ? 'it holds' : reading.problems.map(formatProblem).join('\n')).toMatchSnapshot()
  })
})

describe('programs of Custom checks', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'portolan-checks-'))
    mkdirSync(join(folder, 'dir'))
    writeFileSync(join(folder, 'plain'), '')
    writeFileSync(join(folder, 'good'), '#!/bin/sh\n')
    chmodSync(join(folder, 'good'), 0o755)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const warnings = (check: string) =>
    load(`services:\n  order:\n    healthChecks:\n      - ${check}\n`, join(folder, 'p.yaml'))
      .warnings.map(formatProblem)
      .join('\n')
      .replaceAll(folder, '/etc')

  it('are found from the folder of the file', () => {
    const file = join(folder, 'p.yaml')
    expect(checks('[{ type: Custom, script: good }]', file)).toMatchObject([
      { command: [join(folder, 'good')] },
    ])
    expect(checks('[{ type: Custom, command: [./good, good] }]', file)).toMatchObject([
      { command: [join(folder, 'good'), 'good'] },
    ])
    expect(checks('[{ type: Custom, command: [sh, -c, exit] }]', file)).toMatchObject([
      { command: [expect.stringMatching(/^\/.*\/sh$/), '-c', 'exit'] },
    ])
  })

  it.each([
    ['{ type: Custom, script: good }'],
    ['{ type: Custom, script: missing }'],
    ['{ type: Custom, script: dir }'],
    ['{ type: Custom, script: plain }'],
    ['{ type: Custom, command: [plain/below] }'],
    ['{ type: Custom, command: [no-such-program-anywhere, -q] }'],
  ])('that cannot run are warned of when the file loads: %s', check => {
    // Whoever may do everything may execute what nobody may, but never a file without any such bit.
    expect(warnings(check)).toMatchSnapshot()
  })
})

describe('what is wrong with checks', () => {
  const problemsOf = (list: string, file = '/etc/portolan.yaml') => {
    const reading = readConfig(`services: { order: { healthChecks: ${list} } }\n`, file)
    return reading.ok ? [] : reading.problems.map(({ message }) => message)
  }

  it('is said of too many as well', () => {
    const many = Array.from({ length: 17 }, () => '{ type: TCP }')
    expect(problemsOf(`[${[...many, '{ type: Nope }'].join(', ')}]`)).toEqual([
      'must be at most 16 entries',
      '"Nope" is no type of check',
    ])
    expect(problemsOf(`[${[...many, '{ type: TTL }'].join(', ')}]`)).toEqual([
      'must be at most 16 entries',
      'a TTL check needs an interval',
    ])
  })

  it('is said of two of one name as well', () => {
    const twice = '{ type: TCP, id: a }, { type: HTTP, name: a }'
    for (const wrong of ['{ type: Nope }', '{ type: TTL }', 'nothing', 'null', '{ type: TCP, id: [1] }']) {
      const problems = problemsOf(`[${twice}, ${wrong}, ${wrong}]`)
      expect(problems.filter(message => message === 'another check is called "a"')).toHaveLength(1)
      expect(problems.length).toBe(3)
    }
    for (const none of ['7', 'a']) expect(problemsOf(none)).toHaveLength(1)
  })

  it('is a body that HEAD does not have', () => {
    expect(problemsOf('[{ type: HTTP, method: HEAD, expect: { body: ok } }]')).toEqual([
      'an answer to HEAD has no body',
    ])
  })

  it('hides no warning of a missing program', () => {
    const text =
      'services: { order: { healthChecks: [{ type: Nope }, { type: Custom, script: /no/such }] } }\n'
    expect(readConfig(text, '/etc/portolan.yaml')).toMatchObject({
      ok: false,
      problems: [{ message: '"Nope" is no type of check' }],
      warnings: [{ message: 'there is no /no/such' }],
    })
  })

  it('may be the interpreter that a script wants', () => {
    const folder = mkdtempSync(join(tmpdir(), 'portolan-'))
    const script = join(folder, 'check.sh')
    writeFileSync(script, '#!/no/such/shell -e\n', { mode: 0o755 })
    const { warnings } = load(
      `services: { order: { healthChecks: [{ type: Custom, script: ${script} }] } }\n`,
    )
    rmSync(folder, { recursive: true })
    expect(warnings.map(({ message }) => message)).toEqual([
      `${script} wants the interpreter /no/such/shell, which is not there`,
    ])
  })
})
