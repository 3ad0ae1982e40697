import { afterEach, describe, expect, test } from 'vitest'
import { FixedResolver } from '../testing/fixed-resolver.ts'
import { localRuntime } from '../testing/local-runtime.ts'
import { instanceOf } from '../testing/scripted-registry.ts'
import { hashKeyOf } from './hash-key.ts'
import { type OpenService, openService, type ServiceOptions } from './service.ts'

let order: OpenService | undefined
afterEach(() => order?.close(0))

function open(options: ServiceOptions = {}): OpenService {
  const resolver = new FixedResolver()
  order = openService(
    resolver,
    { namespace: 'default', service: 'order' },
    { policy: 'ring-hash', ...options },
    localRuntime(),
  )
  resolver.set(Array.from({ length: 8 }, (_, index) => instanceOf('order', `order-${index}`, 9)))
  return order
}

describe('the key of a call', () => {
  test('is a text, and an empty one is none', () => {
    expect(hashKeyOf('user-42')).toBe('user-42')
    expect(hashKeyOf('')).toBeUndefined()
    expect(hashKeyOf(undefined)).toBeUndefined()
  })

  test('keeps equal ones together; without one, or with an empty one, calls spread by chance', () => {
    const service = open()
    const homes = (hashKey: string) => {
      const ids = Array.from({ length: 60 }, () => {
        const { instance, done } = service.pick({ hashKey })
        done()
        return instance.id
      })
      return new Set(ids).size
    }
    expect(homes('user-42')).toBe(1)
    expect(homes('')).toBeGreaterThan(3)
  })

  test.each([
    [5, 'hashKey is of type number and must be a text'],
    [null, 'hashKey is null and must be a text'],
    [{}, 'hashKey is of type object and must be a text'],
    [['a'], 'hashKey is a list and must be a text'],
    [() => 'a', 'hashKey is of type function and must be a text'],
  ])('%s is refused, by pick and by fetch', async (hashKey, message) => {
    const service = open()
    const options = { hashKey: hashKey as string }
    const refusal = expect.objectContaining({ name: 'Fault', code: 'invalid_request', message })
    expect(() => service.pick(options)).toThrow(refusal)
    await expect(service.fetch('/', options)).rejects.toEqual(refusal)
  })
})

describe('hashBalanceFactor', () => {
  // The share is 5 of 40: 1.25 times that, rounded up, or three standard deviations of chance more.
  test.each([
    [{ hashBalanceFactor: 1.25 }, 7],
    [{}, 13],
  ])('%j: a hot key has %i of 40 calls at its home', (options, most) => {
    const service = open(options)
    const picked = Array.from({ length: 40 }, () => service.pick({ hashKey: 'hot' }))
    const counts = new Map<string, number>()
    for (const { instance } of picked) counts.set(instance.id, (counts.get(instance.id) ?? 0) + 1)
    expect(Math.max(...counts.values())).toBe(most)
    for (const { done } of picked) done()
  })
})
