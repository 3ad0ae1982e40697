import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIp, parseIp } from './ip.ts'
import { contains, parseNetwork } from './network.ts'

const has = (network: string, address: string) => {
  const [block, ip] = [parseNetwork(network), parseIp(address)]
  if (block === undefined || ip === undefined) throw new Error(`${network} or ${address} is none`)
  return contains(block, ip)
}

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.6', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['fe80::/10', 'febf::1%eth0', true],
    ['fe80::/10', 'fec0::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['fd00::1', 'fd00::1', true],
  ])('%s and %s: %s', (network, address, expected) => expect(has(network, address)).toBe(expected))

  it.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0/8',
    'localhost',
    '10.0.0.0/8 ',
  ])('are not written %j', text => expect(parseNetwork(text)).toBeUndefined())

  it("hold what Node's block lists hold", () => {
    const v4 = fc.tuple(fc.ipV4(), fc.ipV4(), fc.nat(32), fc.constant('ipv4' as const))
    const v6 = fc.tuple(fc.ipV6(), fc.ipV6(), fc.nat(128), fc.constant('ipv6' as const))
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.nat(128), ([base, other, bits, family], kept) => {
        const [one, two] = [parseIp(base), parseIp(other)]
        fc.pre(one !== undefined && two !== undefined)
        // The first `kept` bits of the base, and the rest of the other: often near the network's edge.
        const address = formatIp(blend(one, two, kept))
        const list = new BlockList()
        list.addSubnet(formatIp(one), bits, family)
        expect(has(`${formatIp(one)}/${bits}`, address)).toBe(list.check(address, family))
      }),
      { numRuns: 1000 },
    )
  })
})

type Ip = NonNullable<ReturnType<typeof parseIp>>

function blend(one: Ip, two: Ip, kept: number): Ip {
  const mix = (ours: readonly number[], theirs: readonly number[], width: number) =>
    ours.map((part, index) => {
      const shared = Math.min(width, Math.max(0, kept - index * width))
      const mask = (2 ** shared - 1) << (width - shared)
      return (part & mask) | ((theirs[index] ?? 0) & ~mask & (2 ** width - 1))
    })
  if (one.family === 4 && two.family === 4) return { family: 4, bytes: mix(one.bytes, two.bytes, 8) }
  if (one.family === 6 && two.family === 6) return { family: 6, groups: mix(one.groups, two.groups, 16) }
  return one
}
