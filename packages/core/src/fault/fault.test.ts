import { describe, expect, it } from 'vitest'
import { Fault, toFault } from './fault.ts'

describe('Fault', () => {
  it('carries code, source, retryability, cause and hint', () => {
    const cause = new Error('ECONNREFUSED')
    const fault = new Fault('registry_unreachable', 'no registry answers', {
      source: 'upstream',
      retryable: true,
      cause,
      hint: 'start one',
    })
    expect(fault).toBeInstanceOf(Error)
    expect(fault).toMatchObject({
      name: 'Fault',
      code: 'registry_unreachable',
      message: 'no registry answers',
      source: 'upstream',
      retryable: true,
      cause,
      hint: 'start one',
    })
  })

  it('is not retryable unless it says so, and has no cause that nobody gave', () => {
    const fault = new Fault('forbidden', 'no', { source: 'caller' })
    expect(fault.retryable).toBe(false)
    expect(fault.hint).toBeUndefined()
    expect(Object.hasOwn(fault, 'cause')).toBe(false)
  })
})

describe('toFault', () => {
  it('leaves a fault as it is and makes the rest internal', () => {
    const fault = new Fault('forbidden', 'no', { source: 'caller' })
    expect(toFault(fault)).toBe(fault)
    const error = new TypeError('x is not a function')
    expect(toFault(error)).toMatchObject({
      code: 'internal',
      source: 'internal',
      message: error.message,
      cause: error,
    })
    expect(toFault('thrown text')).toMatchObject({ code: 'internal', message: 'thrown text' })
  })
})
