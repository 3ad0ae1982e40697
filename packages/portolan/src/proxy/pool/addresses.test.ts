import { describe, expect, it } from 'vitest'
import { Addresses } from './addresses.ts'

const minute = 60_000

describe('the addresses of an instance', () => {
  it('come as they are told, until another than the first has worked', () => {
    const addresses = new Addresses(['a', 'b', 'c'])
    expect(addresses.order(0)).toEqual(['a', 'b', 'c'])
    addresses.worked('a', 0)
    expect(addresses.order(0)).toEqual(['a', 'b', 'c'])
    addresses.worked('c', 0)
    expect(addresses.order(1)).toEqual(['c', 'a', 'b'])
    addresses.worked('b', 2)
    expect(addresses.order(2)).toEqual(['b', 'a', 'c'])
    addresses.worked('a', 3)
    expect(addresses.order(3)).toEqual(['a', 'b', 'c'])
  })

  it('remember for ten minutes what worked, however often it works again', () => {
    const addresses = new Addresses(['a', 'b'])
    for (let now = 0; now < 10 * minute; now += minute) {
      addresses.worked('b', now)
      expect(addresses.order(now)).toEqual(['b', 'a'])
    }
    expect(addresses.order(10 * minute)).toEqual(['a', 'b'])
    addresses.worked('b', 10 * minute)
    expect(addresses.order(11 * minute)).toEqual(['b', 'a'])
  })
})
