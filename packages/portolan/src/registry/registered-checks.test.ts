import { Fault } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChecks } from './registered-checks.ts'
import { parseRegistration } from './registration.ts'

const registration = parseRegistration({
  service: 'order',
  id: 'a',
  address: '10.0.0.5',
  ports: [8080, { number: 9090, name: 'admin' }, { number: 53, name: 'dns', protocol: 'udp' }],
})

const parse = (checks: unknown) => parseChecks({ checks }, registration)

function faultOf(checks: unknown): Fault {
  try {
    parse(checks)
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
    throw thrown
  }
  throw new Error(`accepted: ${JSON.stringify(checks).slice(0, 200)}`)
}

describe('the checks that a registration asks for', () => {
  it('are none in particular, none at all, or those that it names', () => {
    expect(parseChecks({}, registration)).toBeUndefined()
    expect(parse([])).toEqual([])
    expect(
      parse([{ type: 'http', path: '/health', port: 'admin', interval: '2s' }, { type: 'TCP' }]),
    ).toEqual([
      {
        type: 'http',
        id: 'http',
        port: 'admin',
        intervalMs: 2000,
        timeoutMs: 500,
        rise: 2,
        method: 'GET',
        path: '/health',
        headers: {},
        statuses: [[200, 299]],
      },
      { type: 'tcp', id: 'tcp', intervalMs: 1000, timeoutMs: 500, rise: 2 },
    ])
  })

  it.each<[string, unknown, string]>([
    ['no list', {}, 'checks is an object and must be a list'],
    ['no check', ['TCP'], 'checks[0]: expected a map of keys, got "TCP"'],
    ['seventeen', Array(17).fill({ type: 'TCP' }), 'checks has 17 entries; 16 at most'],
    ['an unknown type', [{ type: 'ICMP' }], 'checks[0].type: "ICMP" is no type of check'],
    ['an unknown field', [{ type: 'TCP', intervall: '1s' }], 'checks[0].intervall is not a field of a check'],
    [
      'an interval below the floor',
      [{ type: 'TCP', interval: '10ms' }],
      'checks[0].interval: an interval is at least 100ms',
    ],
    [
      'a time-out like the interval',
      [{ type: 'TCP', interval: '1s', timeout: '1s' }],
      'checks[0].timeout: 1s is no less than the interval, 1s',
    ],
    [
      'twice the same name',
      [
        { type: 'TCP', id: 'a' },
        { type: 'TCP', id: 'a' },
      ],
      'checks[1].id: another check is called "a"',
    ],
    [
      'a port that is not there',
      [{ type: 'TCP', port: 'admn' }],
      'checks[0].port is "admn", which is no port of this instance that a connection goes to',
    ],
    [
      'a port for datagrams',
      [{ type: 'TCP', port: 'dns' }],
      'checks[0].port is "dns", which is no port of this instance that a connection goes to',
    ],
    [
      'a line break in a header',
      [{ type: 'HTTP', headers: { 'x-a': 'b\r\nHost: evil' } }],
      'checks[0].headers.x-a: a value of a header is one line of ASCII text',
    ],
    [
      'a line break in the name of a header',
      [{ type: 'HTTP', headers: { 'x\r\ny': 'b' } }],
      'checks[0].headers."x\\r\\ny": not a header name',
    ],
    [
      'a header of the connection',
      [{ type: 'HTTP', headers: { 'Transfer-Encoding': 'chunked' } }],
      'checks[0].headers.Transfer-Encoding: a header of the connection itself, not for a check to set',
    ],
    ['a line break in the path', [{ type: 'HTTP', path: '/ HTTP/1.1\r\nHost: evil' }], 'checks[0].path: '],
    [
      'a path without a slash',
      [{ type: 'HTTP', path: 'health' }],
      'checks[0].path: a path begins with one "/"',
    ],
    ['a method that changes things', [{ type: 'HTTP', method: 'DELETE' }], 'checks[0].method: "DELETE"'],
    [
      'a body of megabytes',
      [{ type: 'HTTP', expect: { body: 'x'.repeat(1e6) } }],
      'checks[0].expect.body: must be',
    ],
    [
      'too much in all',
      Array(16).fill({ type: 'HTTP', path: `/${'x'.repeat(2000)}` }),
      'checks are 34166 characters long; 16384 at most',
    ],
  ])('%s is refused', (_, checks, message) => {
    const fault = faultOf(checks)
    expect(fault).toMatchObject({ code: 'invalid_request', source: 'caller' })
    expect(fault.message.slice(0, message.length)).toBe(message)
    expect(fault.message.length).toBeLessThan(500)
  })

  it.each<[string, object]>([
    ['a script', { type: 'Custom', script: '/bin/true' }],
    ['a command', { type: 'script', command: ['/bin/sh', '-c', 'id'] }],
    ['a type in odd letters', { type: ' cUsToM ' }],
    ['a script beside another type', { type: 'TCP', script: '/bin/true' }],
    ['odd letters', { type: 'HTTP', Script: '/bin/true' }],
    ["another system's word", { type: 'TCP', Args: ['/bin/true'] }],
  ])('that would run a program are refused: %s', (_, check) => {
    expect(faultOf([{ type: 'TCP' }, check])).toMatchObject({
      code: 'check_forbidden',
      message: 'checks[1] would run a program: a registration cannot ask for that',
    })
  })

  it.each<[string, object]>([
    ['host', { type: 'HTTP', host: '10.0.0.6' }],
    ['url', { type: 'HTTP', url: 'http://10.0.0.6/' }],
    ['address', { type: 'TCP', Address: '10.0.0.6' }],
    ["another system's word", { type: 'HTTP', HTTP: 'http://10.0.0.6/' }],
    ['a path in absolute form', { type: 'HTTP', path: 'http://10.0.0.6/' }],
    ['a path that begins with a space', { type: 'HTTP', path: ' HTTPS://10.0.0.6/' }],
    ['a path that begins with an authority', { type: 'HTTP', path: '//10.0.0.6/' }],
    ['the same with backslashes', { type: 'HTTP', path: '/\\10.0.0.6/' }],
  ])('that name a host are refused: %s', (_, check) => {
    expect(faultOf([check])).toMatchObject({ code: 'target_forbidden', source: 'caller' })
  })

  it.each(['Host', 'host', ' HOST '])('that set %j are refused', name => {
    expect(faultOf([{ type: 'HTTP', headers: { [name]: 'evil' } }])).toMatchObject({
      code: 'check_forbidden',
    })
  })

  it('never run a program, and never throw but a fault of the caller', () => {
    const key = fc.constantFrom(
      'type',
      'script',
      'command',
      'host',
      'path',
      'headers',
      'expect',
      'interval',
      'port',
    )
    const value = fc.oneof(
      fc.constantFrom('TCP', 'http', 'Custom', 'TTL', '1s', '/x', '//x', 'admin'),
      fc.jsonValue({ maxDepth: 2 }),
    )
    fc.assert(
      fc.property(fc.array(fc.dictionary(key, value), { maxLength: 3 }), checks => {
        try {
          for (const { type } of parse(checks) ?? []) expect(type).not.toBe('script')
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault)
          expect(thrown).toMatchObject({ source: 'caller' })
        }
      }),
      { numRuns: 1000 },
    )
  })
})
