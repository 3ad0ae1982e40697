import type { Registration } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTested, registered, type Tested } from '../../api/testing/open-tested.ts'
import { grant } from '../../registry/access/grants.ts'
import { portolan } from '../testing/terminal.ts'

let tested: Tested
const ask = (...line: string[]) => portolan(['resolve', ...line], { env: { PORTOLAN_URL: tested.url } })

interface Answer {
  readonly policy: string
  readonly subset: number
  readonly client: string
  readonly count: number
  readonly picks: readonly { id: string; share: number; picked: number; reason?: string }[]
}
async function answer(...line: string[]): Promise<Answer> {
  const { exit, out, err } = await ask(...line, '--json')
  expect({ exit, err }).toEqual({ exit: 0, err: '' })
  return JSON.parse(out)
}
const pickedOf = ({ picks }: Answer) => picks.filter(({ picked }) => picked > 0).map(({ id }) => id)

const register = (service: string, id: string, more: Partial<Registration> = {}) =>
  registered(tested, service, id, more)

beforeEach(async () => {
  tested = await openTested()
})
afterEach(() => tested.close())

describe('portolan resolve', () => {
  it('shows the shares of actual picks, and why an instance gets none', async () => {
    await register('order', 'order-1', { weight: 3 })
    await register('order', 'order-2')
    await register('order', 'order-3', { weight: 0 })
    await register('order', 'order-4', { metadata: { priority: '1' } })
    expect(await ask('order', '--policy', 'round-robin')).toEqual({
      exit: 0,
      out: [
        'ADDRESS         ID       WEIGHT  SHARE   WHY NONE',
        '127.0.0.1:8080  order-1  3       75.0 %',
        '127.0.0.1:8080  order-2  1       25.0 %',
        '127.0.0.1:8080  order-3  0       0.0 %   weight 0 takes no new requests',
        '127.0.0.1:8080  order-4  1       0.0 %   priority 1: priority 0 bears all',
        '',
      ].join('\n'),
      err: 'picked by round-robin, without keys, from no zone\n',
    })
    const counted = await answer('order', '--count', '400', '--policy', 'round-robin')
    expect(counted.picks.map(({ picked }) => picked)).toEqual([300, 100, 0, 0])
    expect((await ask('order', '--count', '400')).out).toMatch(/^ADDRESS .* SHARE +PICKED +WHY NONE\n/)
  })

  it('picks by what the configuration gives to the service, unless told otherwise', async () => {
    for (let index = 1; index <= 6; index++) await register('cart', `cart-${index}`)
    tested.setRoutes({
      routes: [],
      exposed: 'all',
      policies: { cart: 'ring-hash' },
      balance: { cart: { subset: 2, hashBy: 'cookie:sid' } },
    })
    const mine = await answer('cart', '--client', 'box 10.0.0.5:80')
    expect(mine).toMatchObject({ policy: 'ring-hash', subset: 2, hashBy: 'cookie:sid', count: 100_000 })
    expect(pickedOf(mine)).toHaveLength(2)
    expect(mine.picks.filter(({ reason }) => reason === 'not in the subset of box 10.0.0.5:80')).toHaveLength(
      4,
    )
    const others = await Promise.all(['a', 'b', 'c', 'd'].map(client => answer('cart', '--client', client)))
    expect(new Set(others.map(other => pickedOf(other).join())).size).toBeGreaterThan(1)
    expect((await answer('cart')).client).toMatch(/ 127\.0\.0\.1:7480/)
    const keyed = await answer('cart', '--client', 'box 10.0.0.5:80', '--hash-key', 'user-42')
    expect(pickedOf(keyed)).toHaveLength(1)
    expect(pickedOf(mine)).toContain(pickedOf(keyed)[0])
    expect(await answer('cart', '--policy', 'random')).toMatchObject({ policy: 'random', subset: 2 })
    const { err } = await ask('cart', '--client', 'x', '--zone', 'a')
    expect(err).toBe(
      'picked by ring-hash, each with a key of its own (cookie:sid), from zone a, subset of 2 for "x"\n',
    )
  })

  it('sees zones as a caller in one does', async () => {
    await register('order', 'a-1', { zone: 'a' })
    await register('order', 'b-1', { zone: 'b' })
    expect(pickedOf(await answer('order'))).toEqual(['a-1', 'b-1'])
    expect(await answer('order', '--zone', 'a')).toMatchObject({
      zone: 'a',
      picks: [{ id: 'a-1', share: 1 }, { reason: 'zone b: zone a bears all of its callers’ requests' }],
    })
  })

  it.each([
    ['--count', '1.5', '--count 1.5: not a whole number from 1 to 1000000'],
    ['--count', '0', '--count 0: not a whole number'],
    ['--count', 'many', '--count many: not a whole number'],
    ['--policy', 'randm', '--policy randm: not known'],
  ])('refuses %s %s', async (option, value, words) => {
    const { exit, err } = await ask('order', option, value)
    expect(exit).toBe(2)
    expect(err).toContain(words)
  })

  it('takes the right to read the service, and no more', async () => {
    await tested.close()
    tested = await openTested({ anonymous: 'none' })
    await register('order', 'order-1')
    await register('cart', 'cart-1')
    const { secret } = await tested.access.mint({
      name: 'reader',
      grants: [grant(['read'], 'default', 'order')],
    })
    expect((await ask('order', '--token', secret)).exit).toBe(0)
    expect(await ask('cart', '--token', secret)).toMatchObject({
      exit: 1,
      err: expect.stringContaining('[forbidden]'),
    })
  })
})
