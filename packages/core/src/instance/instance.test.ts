import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anIllInstance, anInstance } from '../balance/testing/sets.ts'
import { httpPort, isHealthy, type PortProtocol, parseServiceKey, serviceKey } from './instance.ts'
import { emptySet, orderedById } from './instance-set.ts'

describe('service keys', () => {
  it('leave the default namespace unsaid', () => {
    expect(serviceKey({ namespace: 'default', service: 'order' })).toBe('order')
    expect(serviceKey({ namespace: 'staging', service: 'order' })).toBe('staging/order')
  })

  it('are read back as written', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/)
    fc.assert(
      fc.property(name, name, (namespace, service) => {
        expect(parseServiceKey(serviceKey({ namespace, service }))).toEqual({ namespace, service })
      }),
    )
  })
})

describe('ports', () => {
  it('for HTTP are the first that says so, TLS or not, or else the first that is no UDP', () => {
    const port = (name: string, protocol: PortProtocol, tls = false) => ({ name, number: 1, protocol, tls })
    const [udp, tcp, https, http] = [
      port('u', 'udp'),
      port('t', 'tcp'),
      port('s', 'http', true),
      port('h', 'http'),
    ]
    expect(httpPort([udp, tcp, https, http])).toBe(https)
    expect(httpPort([udp, tcp])).toBe(tcp)
    expect(httpPort([udp])).toBeUndefined()
  })
})

describe('instances', () => {
  it('are healthy without a cause', () => {
    expect(isHealthy(anInstance('a'))).toBe(true)
    expect(isHealthy(anIllInstance('a', 'starting'))).toBe(false)
  })

  it('are ordered by id in a set, by code units as every other part compares', () => {
    const ids = (...names: string[]) => orderedById(names.map(name => anInstance(name))).map(({ id }) => id)
    expect(ids('b', 'a', 'B', 'a10', 'a9', 'a')).toEqual(['B', 'a', 'a', 'a10', 'a9', 'b'])
    const given = [anInstance('b'), anInstance('a')]
    orderedById(given)
    expect(given[0]?.id).toBe('b')
  })

  it('are none in the empty set', () => {
    expect(emptySet({ namespace: 'n', service: 's' })).toEqual({
      namespace: 'n',
      service: 's',
      cursor: { epoch: '', revision: 0 },
      instances: [],
    })
  })
})
