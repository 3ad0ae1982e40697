import { expect, it } from 'vitest'
import { missingZone } from './zone.ts'

it('tells zones that no interface of this machine has', () => {
  expect(missingZone('fe80::1%nowhere')).toBe('nowhere')
  expect(missingZone('fe80::1%lo')).toBeUndefined()
  expect(missingZone('fe80::1%1')).toBeUndefined()
  expect(missingZone('fe80::1')).toBeUndefined()
})
