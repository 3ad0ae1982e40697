import { expect, it } from 'vitest'
import { isFailure, troubleOfConnecting } from './trouble.ts'

it('tells proof from doubt, and the instance’s trouble from our own', () => {
  expect(troubleOfConnecting('ECONNREFUSED')).toBe('refused')
  expect(troubleOfConnecting('ETIMEDOUT')).toBe('timeout')
  expect(troubleOfConnecting('EHOSTUNREACH')).toBe('broken')
  expect(troubleOfConnecting('DEPTH_ZERO_SELF_SIGNED_CERT')).toBe('broken')
  expect(troubleOfConnecting(undefined)).toBe('broken')
  expect(troubleOfConnecting('EMFILE')).toBeUndefined()
})

it('takes 500, 502, 503 and 504 for failures: 501 and 505 speak of the request', () => {
  const failures = Array.from({ length: 600 }, (_, status) => status).filter(isFailure)
  expect(failures).toEqual([500, 502, 503, 504])
})
