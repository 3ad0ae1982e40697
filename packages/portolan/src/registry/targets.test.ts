import { describe, expect, it } from 'vitest'
import { parseRegistration } from './registration.ts'
import { targetGuard } from './targets.ts'

const control = 7400
const ownAddresses = () => new Set(['192.0.2.10', 'fd00::10'])

function outcome(
  address: string,
  port = 8080,
  { allowed = [] as string[], checkPort = undefined as number | undefined } = {},
) {
  const guard = targetGuard({ allowed: () => allowed, controlPorts: () => new Set([control]), ownAddresses })
  try {
    const registration = parseRegistration({ service: 'order', id: 'a', address, port })
    const check = { type: 'tcp', id: 'tcp', intervalMs: 1000, timeoutMs: 500, rise: 2 } as const
    guard(registration, checkPort === undefined ? undefined : [{ ...check, port: checkPort }])
    return 'accepted'
  } catch (thrown) {
    return (thrown as { code?: string }).code
  }
}

describe('where instances may be registered', () => {
  it.each([
    '10.0.0.5',
    '127.0.0.1',
    '192.0.2.10',
    '2001:db8::1',
    '::1',
    '169.253.0.1',
    'fec0::1',
    '64:ff9b::a00:5',
    '64:ff9b:1::a00:5',
    '2001:0:c000:201::f5ff:fffa',
    '223.255.255.255',
  ])('%s is a good place', address => expect(outcome(address)).toBe('accepted'))

  it.each([
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'FE80::1%eth0',
    'febf:ffff::1',
    '::ffff:169.254.1.1',
    '::FFFF:A9FE:0101',
    '0:0:0:0:0:ffff:a9fe:101',
    '::169.254.1.1',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    '64:ff9b:1::169.254.169.254',
    '64:ff9b:1:a9fe:a9:fe00::',
    '64:ff9b:1:a9:fe:a9fe::',
    '64:ff9b:1:7:a9:fea9:fe00:0',
    '2001:0:a9fe:a9fe::1',
    '2001:0:c000:201::5601:5601',
  ])('%s is link-local', address => {
    expect(outcome(address)).toBe('target_forbidden')
    expect(outcome(address, control)).toBe('target_forbidden')
  })

  it.each([
    '127.1',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.169.254.',
    'localhost',
    '[fe80::1]',
  ])('%s is no address at all', address => expect(outcome(address)).toBe('invalid_request'))

  it.each([
    '0.0.0.0',
    '::',
    '::ffff:0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    '::ffff:224.0.0.1',
    'ff02::1',
  ])('%s is nobody', address => expect(outcome(address, control)).toBe('invalid_request'))

  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '192.0.2.10',
    '::ffff:192.0.2.10',
    'fd00::10',
    'fd00::10%eth0',
    'FD00:0:0:0::10',
    '64:ff9b::',
    '64:ff9b:1::127.0.0.1',
    '2001:0:c000:201::80ff:fffe',
  ])('%s is no place at our own control port', address => {
    expect(outcome(address, control)).toBe('target_forbidden')
    expect(outcome(address, 8080, { checkPort: control })).toBe('target_forbidden')
  })

  it('leaves the same port of other machines alone', () => {
    expect(outcome('192.0.2.11', control)).toBe('accepted')
    expect(outcome('fd00::11', control)).toBe('accepted')
  })

  it('looks at every address and every port', () => {
    const guard = targetGuard({ allowed: () => [], controlPorts: () => new Set([control]), ownAddresses })
    const registered = (more: object) => () =>
      guard(parseRegistration({ service: 'order', id: 'a', ...more }), undefined)
    expect(registered({ addresses: ['10.0.0.5', '169.254.1.1'], port: 80 })).toThrow(
      '169.254.1.1 is a link-local',
    )
    expect(registered({ address: '127.0.0.1', ports: [80, control] })).toThrow(
      '127.0.0.1:7400 is where this server itself listens',
    )
    expect(registered({ address: '::1', ports: [80, control] })).toThrow(
      '[::1]:7400 is where this server itself listens',
    )
  })

  it('knows the addresses of this machine by itself', () => {
    const guard = targetGuard({ allowed: () => [], controlPorts: () => new Set([control]) })
    const registration = parseRegistration({ service: 'order', id: 'a', address: '127.0.0.2', port: control })
    expect(() => guard(registration, [])).toThrow(/where this server itself listens/)
  })

  it.each([
    ['169.254.7.7', 8080, ['169.254.7.0/24']],
    ['::ffff:169.254.7.7', 8080, ['169.254.7.0/24']],
    ['169.254.7.7', 8080, ['169.254.7.7:8080']],
    ['169.254.7.7', 8080, ['169.254.7.7']],
    ['fe80::1%eth0', 8080, ['fe80::/10']],
    ['fe80::1%eth0', 8080, ['[fe80::1%eth0]:8080']],
    ['127.0.0.1', control, ['127.0.0.1:7400']],
    ['127.0.0.1', control, ['127.0.0.0/8']],
    ['::1', control, ['[::1]:7400']],
  ])('lets %s, port %d through where %j names it', (address, port, allowed) => {
    expect(outcome(address, port, { allowed })).toBe('accepted')
  })

  it.each([
    ['169.254.8.7', 8080, ['169.254.7.0/24']],
    ['169.254.7.7', 8081, ['169.254.7.7:8080']],
    ['127.0.0.1', control, ['127.0.0.2:7400']],
    ['::1', control, ['127.0.0.1:7400']],
  ])('does not let %s, port %d through where %j names another', (address, port, allowed) => {
    expect(outcome(address, port, { allowed })).toBe('target_forbidden')
  })
})
