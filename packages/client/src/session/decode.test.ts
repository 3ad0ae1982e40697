import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instanceOf } from '../testing/scripted-registry.ts'
import { decodeServerMessage } from './decode.ts'

describe('decoding', () => {
  test('takes what the protocol names', () => {
    const messages = [
      { type: 'welcome', protocol: 1, session: 's', epoch: 'e', pingMs: 400, leaseMs: 15_000 },
      { type: 'done', seq: 1 },
      { type: 'failed', code: 'internal', message: 'm', retryable: false },
      { type: 'snapshot', service: 'order', cursor: 'e.1', instances: [instanceOf('order', 'a')] },
      { type: 'delta', service: 'order', cursor: 'e.2', put: [], gone: [{ id: 'a', reason: 'goodbye' }] },
      { type: 'routes', table: { routes: [], exposed: 'all' } },
      { type: 'may-stop', service: 'order', id: 'a', acknowledged: true },
    ]
    for (const message of messages) {
      expect(decodeServerMessage(JSON.stringify(message))).toEqual(message)
    }
  })

  test('reads every kind of route, and refuses those that say nothing usable', () => {
    const table = (route: object) =>
      JSON.stringify({ type: 'routes', table: { routes: [route], exposed: [] } })
    for (const route of [
      { match: {}, service: 'a', namespace: 'n', rewrite: { path: '/' }, timeoutMs: 5, maxBody: 6 },
      { match: {}, split: [{ service: 'a', weight: 1 }], splitBy: 'address' },
      { match: {}, redirect: { to: '/x', status: 308 } },
      { match: { tide: 3 }, harbour: true },
    ])
      expect(decodeServerMessage(table(route))).toMatchObject({ table: { routes: [route] } })
    for (const route of [
      { service: 'a' },
      { match: {}, service: 7 },
      { match: {}, split: 'a' },
      { match: {}, split: [{ service: 'a' }] },
      { match: {}, redirect: '/x' },
    ])
      expect(() => decodeServerMessage(table(route))).toThrow('malformed')
  })

  test('lets types pass that a newer registry may send', () => {
    expect(decodeServerMessage('{"type":"tide","height":3}')).toBeUndefined()
    expect(decodeServerMessage('{"type":"constructor"}')).toBeUndefined()
  })

  test.each([
    '',
    'null',
    '[]',
    '{"type":7}',
    '{"type":"done"}',
    '{"type":"snapshot","service":"a","cursor":"no cursor","instances":[]}',
    '{"type":"snapshot","service":"a","cursor":"e.1","instances":[{"id":"a"}]}',
    '{"type":"delta","service":"a","cursor":"e.1","put":[],"gone":[null]}',
  ])('refuses %s', text => {
    expect(() => decodeServerMessage(text)).toThrow(expect.objectContaining({ code: 'protocol_unsupported' }))
  })

  test('any text gives a message, nothing or a Fault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        try {
          decodeServerMessage(text)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'protocol_unsupported' })
        }
      }),
    )
  })
})
