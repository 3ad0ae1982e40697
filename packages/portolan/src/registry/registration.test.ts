import { Fault } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from './limits.ts'
import { parseRegistration } from './registration.ts'

const least = { service: 'order', id: 'a', address: '10.0.0.5', port: 8080 }

function faultOf(input: unknown): Fault {
  try {
    parseRegistration(input)
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
    throw thrown
  }
  throw new Error(`accepted: ${JSON.stringify(input).slice(0, 200)}`)
}

describe('parseRegistration', () => {
  it('fills in what is not said', () => {
    expect(parseRegistration(least)).toEqual({
      namespace: 'default',
      service: 'order',
      id: 'a',
      addresses: ['10.0.0.5'],
      ports: [{ name: 'http', number: 8080, protocol: 'http', tls: false }],
      weight: 1,
      tags: [],
      metadata: {},
    })
  })

  it('takes what the place knows, and refuses a contradiction', () => {
    const place = { namespace: 'staging', service: 'order', id: 'a', address: '10.0.0.9' }
    expect(parseRegistration({ port: 1 }, place)).toMatchObject({
      namespace: 'staging',
      id: 'a',
      addresses: ['10.0.0.9'],
    })
    expect(() => parseRegistration({ port: 1, id: 'b' }, place)).toThrow(
      /id is "b" in the body and "a" in the URL/,
    )
  })

  it('reads the long forms', () => {
    const parsed = parseRegistration({
      ...least,
      address: undefined,
      port: undefined,
      addresses: ['10.0.0.5', 'FE80::1%eth0'],
      ports: [8080, { number: 8081 }, { number: 9, name: 'admin', protocol: 'grpc', tls: true }],
      host: 'box-1',
      weight: 0.5,
      zone: 'a',
      region: 'eu',
      provider: 'acme',
      version: '2',
      tags: ['x'],
      metadata: { pid: '12', ['__proto__']: 'kept' },
    })
    expect(parsed.addresses).toEqual(['10.0.0.5', 'fe80::1%eth0'])
    expect(parsed.ports.map(({ name }) => name)).toEqual(['http', 'http-8081', 'admin'])
    expect(parsed).toMatchObject({
      host: 'box-1',
      zone: 'a',
      region: 'eu',
      provider: 'acme',
      version: '2',
      tags: ['x'],
    })
    expect(parsed.metadata.pid).toBe('12')
  })

  const tooMuch = 'x'.repeat(5000)
  it.each<[string, Record<string, unknown>]>([
    ['service', { service: 'a/b' }],
    ['service', { service: '..' }],
    ['id', { id: 7 }],
    ['id', { id: 'x'.repeat(129) }],
    ['address', { address: 'localhost' }],
    ['address', { address: '[::1]' }],
    ['address', { addresses: ['10.0.0.1'] }],
    ['addresses[1]', { address: undefined, addresses: ['10.0.0.1', '10.0.0.256'] }],
    ['addresses', { address: undefined, addresses: Array(9).fill('10.0.0.1') }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: 80.5 }],
    ['port', { port: '80' }],
    ['port', { ports: [1] }],
    ['ports', { port: undefined }],
    ['ports', { port: undefined, ports: [] }],
    [
      'ports[1].name',
      {
        port: undefined,
        ports: [
          { number: 1, name: 'a' },
          { number: 2, name: 'a' },
        ],
      },
    ],
    ['ports[0].protocol', { port: undefined, ports: [{ number: 1, protocol: 'smtp' }] }],
    ['ports[0].tls', { port: undefined, ports: [{ number: 1, tls: 'yes' }] }],
    ['ports[0].numbr', { port: undefined, ports: [{ numbr: 1 }] }],
    ['weight', { weight: Number.NaN }],
    ['weight', { weight: -1 }],
    ['weight', { weight: '1' }],
    ['tags', { tags: Array(100_000).fill('t') }],
    ['tags[0]', { tags: [1] }],
    ['metadata', { metadata: [] }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [index, ''])) }],
    ['metadata.a', { metadata: { a: tooMuch } }],
    ['metadata.a', { metadata: { a: 'é'.repeat(2049) } }],
    ['metadata.a', { metadata: { a: 1 } }],
    ['metadata.priority', { metadata: { priority: '10' } }],
    ['metadata.priority', { metadata: { priority: '-1' } }],
    ['metadata.priority', { metadata: { priority: 'a' } }],
    ['metadata.priority', { metadata: { priority: '' } }],
    ['version', { version: tooMuch }],
  ])('names the field: %s', (field, more) => {
    const fault = faultOf({ ...least, ...more })
    expect(fault.code).toBe('invalid_request')
    expect(fault.message.startsWith(field)).toBe(true)
    expect(fault.message.length).toBeLessThan(400)
  })

  it('guesses what an unknown field was to be', () => {
    expect(faultOf({ ...least, adress: '10.0.0.1' }).hint).toBe('did you mean "address"?')
  })

  it('never breaks on any JSON, and reads its own answer as the same registration', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom('weight', 'tags', 'ports', 'zone'), fc.jsonValue()),
        (any, more) => {
          for (const input of [any, { ...least, ...more }]) {
            try {
              const parsed = parseRegistration(input)
              expect(parseRegistration(parsed)).toEqual(parsed)
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(Fault)
            }
          }
        },
      ),
    )
    expect(limits.tags).toBe(64)
  })
})
