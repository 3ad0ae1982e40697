import { describe, expect, test } from 'vitest'
import { claimOf } from './registration.ts'

const self = { environment: {}, hostname: 'box.local', pid: 7, random: () => 0.5 }
const supervised = { PORTOLAN_SERVICE: 'order', PORTOLAN_INSTANCE: 'order-1', PORT: '8080' }

describe('what a program claims', () => {
  test('is named by host, process and chance', () => {
    const { name, message } = claimOf({ service: 'order', port: 8080, address: '10.0.0.5' }, self)
    expect(name).toEqual({ namespace: 'default', service: 'order', id: 'box.local-7-i00000' })
    expect(message).toEqual({ ...name, ports: [8080], addresses: ['10.0.0.5'] })
  })

  test('makes an id of any host name', () => {
    const { name } = claimOf(
      { service: 'order', port: 1 },
      { ...self, hostname: `mÿ box ${'x'.repeat(200)}` },
    )
    expect(name.id).toMatch(/^[A-Za-z0-9._-]{1,128}$/)
  })

  test('says of a weight that is none what came', () => {
    const claim = (weight: unknown) => () =>
      claimOf({ service: 'order', port: 1, weight: weight as number }, self)
    expect(claim(Number.NaN)).toThrow(/^weight: NaN is not a weight$/)
    expect(claim('2')).toThrow(/^weight: 2 is not a weight$/)
    expect(claim(2)().message.weight).toBe(2)
  })

  test('joins the supervisor’s registration', () => {
    const { message } = claimOf({}, { ...self, environment: supervised })
    expect(message).toEqual({ namespace: 'default', service: 'order', id: 'order-1', ports: [8080] })
  })

  test('names a service of another namespace as everybody does', () => {
    const staged = { ...supervised, PORTOLAN_SERVICE: 'staging/order' }
    const expected = { namespace: 'staging', service: 'order', id: 'order-1' }
    expect(claimOf({}, { ...self, environment: staged }).name).toEqual(expected)
    const { name } = claimOf({ service: 'order', namespace: 'staging' }, { ...self, environment: staged })
    expect(name).toEqual(expected)
    expect(claimOf({ service: 'order' }, { ...self, environment: staged }).name.id).not.toBe('order-1')
  })

  test('takes the supervisor’s id for the supervisor’s service only', () => {
    const { name } = claimOf({ service: 'admin', port: 9 }, { ...self, environment: supervised })
    expect(name.id).toBe('box.local-7-i00000')
  })

  test.each([
    [{}, 'register needs a service'],
    [{ service: 'order' }, 'register needs a port'],
    [{ service: 'order', ports: [] }, 'register needs a port'],
  ])('%o: %s', (options, message) => {
    expect(() => claimOf(options, self)).toThrow(message)
  })

  test('a PORT that is none is no default', () => {
    for (const PORT of ['', '0', '70000', 'http', '1.5']) {
      expect(() => claimOf({ service: 'a' }, { ...self, environment: { PORT } })).toThrow('needs a port')
    }
  })
})
