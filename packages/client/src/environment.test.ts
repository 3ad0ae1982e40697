import { describe, expect, test } from 'vitest'
import { registryUrls } from './environment.ts'

describe('where the registries are', () => {
  test('comes from the argument, the environment, the default', () => {
    const environment = { PORTOLAN_URL: 'http://a:7400, https://b.example/registry/,' }
    expect(registryUrls('http://c:1', environment)).toEqual(['ws://c:1/api/v1/session'])
    expect(registryUrls(undefined, environment)).toEqual([
      'ws://a:7400/api/v1/session',
      'wss://b.example/registry/api/v1/session',
    ])
    expect(registryUrls(undefined, {})).toEqual(['ws://127.0.0.1:7400/api/v1/session'])
    expect(registryUrls(['http://[::1]:7400', 'http://[::1]:7400'], {})).toEqual([
      'ws://[::1]:7400/api/v1/session',
    ])
  })

  test.each([
    ['', 'no registry is named'],
    ['127.0.0.1:7400', 'is not a URL'],
    ['localhost:7400', 'is neither http nor https'],
    ['ftp://a', 'is neither http nor https'],
    ['http://user:secret@a', 'carries a user'],
    ['http://a?x=1', 'carries a query'],
  ])('"%s" %s', (url, message) => {
    expect(() => registryUrls(url, {})).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(message) }),
    )
  })

  test('a secret in an address is not repeated', () => {
    expect(() => registryUrls('http://user:secret@a', {})).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })
})
