import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FailureKind, failureKind, mayRetry } from './retry.ts'

const errorOf = (code?: string) => Object.assign(new Error('no'), code === undefined ? {} : { code })
const kinds: FailureKind[] = ['invalid', 'aborted', 'refused', 'connect', 'reset', 'timeout', 'malformed']

describe('what failed', () => {
  test.each([
    ['ECONNREFUSED', 'refused'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
    ['UND_ERR_SOCKET', 'reset'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_INVALID_ARG', 'invalid'],
    ['HPE_INVALID_CONSTANT', 'malformed'],
    [undefined, 'reset'],
  ])('%s is %s', (code, kind) => {
    expect(failureKind(errorOf(code))).toBe(kind)
  })

  test('anything thrown has a kind', () => {
    fc.assert(fc.property(fc.anything(), thrown => kinds.includes(failureKind(thrown))))
  })
})

describe('what may be tried again', () => {
  test.each([
    ['GET', true, 'reset', true, true],
    ['DELETE', true, 'reset', true, true],
    ['POST', true, 'reset', true, false],
    ['PATCH', true, 'reset', true, false],
    ['POST', true, 'connect', false, true],
    ['POST', true, 'reset', false, true],
    ['PUT', false, 'connect', false, false],
    ['GET', true, 'timeout', true, false],
    ['GET', true, 'malformed', true, false],
    ['GET', true, 'aborted', false, false],
    ['GET', true, 'invalid', false, false],
  ] as const)('%s, replayable %s, %s, written %s: %s', (method, replayable, kind, written, expected) => {
    expect(mayRetry(method, replayable, { kind, written })).toBe(expected)
  })

  test('a written POST never is, whatever happened', () => {
    for (const kind of kinds) {
      for (const method of ['POST', 'PATCH', 'get', 'LOCK']) {
        expect(mayRetry(method, true, { kind, written: true })).toBe(false)
      }
    }
  })
})
