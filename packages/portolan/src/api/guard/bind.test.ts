import { Fault } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { checkBind, isLoopback, type Protection } from './bind.ts'

describe('what listens beyond this machine', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.5', false],
    ['fe80::1', false],
    ['localhost.example', false],
    ['', false],
  ])('%s is loopback: %s', (host, expected) => expect(isLoopback(host)).toBe(expected))

  const bind = (host: string, protection: Partial<Protection>) => () =>
    checkBind(host, { tls: false, anonymous: 'admin', insecure: false, ...protection })

  it('needs nothing on loopback', () => expect(bind('127.0.0.1', {})).not.toThrow())
  it('is allowed with TLS and tokens', () => {
    expect(bind('0.0.0.0', { tls: true, anonymous: 'none' })).not.toThrow()
    expect(bind('0.0.0.0', { tls: true, anonymous: 'read' })).not.toThrow()
  })
  it('is allowed to whoever says --insecure', () => expect(bind('::', { insecure: true })).not.toThrow())

  it.each([
    [{}, /TLS and tokens/],
    [{ tls: true }, /needs tokens/],
    [{ anonymous: 'none' }, /needs TLS$/],
  ] as const)('is refused with %j', (protection, message) => {
    expect(bind('0.0.0.0', protection)).toThrow(Fault)
    expect(bind('0.0.0.0', protection)).toThrow(message)
  })
})
