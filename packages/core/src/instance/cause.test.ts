import { describe, expect, it } from 'vitest'
import { type Cause, withCause, withoutCause } from './cause.ts'

const cause = (changes: Partial<Cause> = {}): Cause => ({
  kind: 'http',
  owner: 'check-1',
  reason: '503',
  since: '2026-01-01T00:00:00.000Z',
  ...changes,
})

describe('causes', () => {
  it('are known by kind and owner: two checks are two causes', () => {
    const one = cause()
    const two = cause({ owner: 'check-2' })
    const three = cause({ kind: 'tcp' })
    expect(withCause(withCause([one], two), three)).toEqual([one, two, three])
  })

  it('replace their like with the new reason, and keep since', () => {
    const before = [cause(), cause({ kind: 'tcp' })]
    const after = withCause(before, cause({ reason: '500', since: '2026-02-02T00:00:00.000Z' }))
    expect(after).toEqual([cause({ reason: '500' }), cause({ kind: 'tcp' })])
    expect(before[0]?.reason).toBe('503')
  })

  it('stay the same array when nothing changes', () => {
    const causes = [cause()]
    expect(withCause(causes, cause({ since: 'later' }))).toBe(causes)
    expect(withoutCause(causes, 'http', 'check-2')).toBe(causes)
    expect(withoutCause(causes, 'tcp', 'check-1')).toBe(causes)
  })

  it('are lifted by kind and owner', () => {
    const other = cause({ owner: 'check-2' })
    expect(withoutCause([cause(), other], 'http', 'check-1')).toEqual([other])
  })
})
