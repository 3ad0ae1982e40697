import { describe, expect, it } from 'vitest'
import { Clients } from './clients.ts'

describe('connections by client', () => {
  it('are counted by IPv4 address, and by network of IPv6', () => {
    const clients = new Clients()
    const enter = (address: string): boolean => clients.enter(address, 2) !== undefined
    expect(['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.1'].map(enter)).toEqual([true, true, true, false])
    expect(['2001:db8::1', '2001:db8:0:0:7::2', '2001:db8::3', '2001:db8:0:1::1'].map(enter)).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(clients.size).toBe(4)
  })

  it('are forgotten when the last has left', () => {
    const clients = new Clients()
    const entered = [1, 2, 3].map(() => clients.enter('::1', 3))
    expect(clients.enter('::1', 3)).toBeUndefined()
    for (const client of entered) clients.leave(client ?? '')
    expect(clients.size).toBe(0)
    expect(clients.enter('::1', 3)).toBeDefined()
  })
})
