import { describe, expect, it } from 'vitest'
import { parseIp } from './ip.ts'
import { isLinkLocal, isLoopback, isUnspecified } from './scope.ts'

describe('the scope of an address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['::ffff:169.254.0.1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['::ffff:0.0.0.0', 'unspecified'],
    ['128.0.0.1', ''],
    ['169.253.0.1', ''],
    ['fec0::1', ''],
    ['::2', ''],
    ['1::1', ''],
    ['10.0.0.5', ''],
    ['localhost', ''],
    ['', ''],
  ])('%s is %s', (text, scope) => {
    const found = (address: Parameters<typeof isLoopback>[0]) =>
      [
        isLoopback(address) && 'loopback',
        isLinkLocal(address) && 'link-local',
        isUnspecified(address) && 'unspecified',
      ]
        .filter(Boolean)
        .join()
    expect(found(text)).toBe(scope)
    const ip = parseIp(text)
    if (ip !== undefined) expect(found(ip)).toBe(scope)
  })
})
