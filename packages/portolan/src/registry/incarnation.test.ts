import { describe, expect, it } from 'vitest'
import { type Before, settle } from './incarnation.ts'
import type { InstanceRecord } from './records.ts'
import type { RegisterRequest, Tether } from './registry.ts'
import { owner, registrationOf } from './testing/open-tested.ts'

function request(tether: Tether, session?: string, more: Record<string, unknown> = {}): RegisterRequest {
  const registration = registrationOf('a', more)
  const source = tether === 'session' ? 'session' : tether
  return { registration, principal: owner, source, tether, ...(session === undefined ? {} : { session }) }
}

function before(current: InstanceRecord | undefined, connected: string[] = [], revision = 40): Before {
  return {
    current,
    revision,
    self: 'run-1',
    now: () => 'now',
    isConnected: session => connected.includes(session),
  }
}

const first = settle(request('session', 's'), before(undefined))

describe('the run that a registration belongs to', () => {
  it('is new for an unknown id, with a number above every revision', () => {
    expect(first).toMatchObject({ instance: { incarnation: 41 }, held: { session: 's' } })
  })

  it('is the same, and the same object, when nothing differs', () => {
    expect(settle(request('session', 's'), before(first, ['s']))).toBe(first)
  })

  it.each<[string, RegisterRequest, string[], object]>([
    ['an update', request('session', 's', { version: '2' }), ['s'], { session: 's' }],
    ['a return after an outage', request('session', 't'), ['t'], { session: 't' }],
    ['a supervisor of this server', request('process'), ['s'], { session: 's', process: 'run-1' }],
    ['a supervisor over its session', request('process', 'u'), ['s', 'u'], { session: 's', process: 'u' }],
    ['a heartbeat', request('lease'), ['s'], { session: 's' }],
  ])('goes on with %s', (_, wanted, connected, held) => {
    expect(settle(wanted, before(first, connected))).toMatchObject({ instance: { incarnation: 41 }, held })
  })

  it.each<[string, RegisterRequest]>([
    ['another port', request('session', 's', { port: 9090 })],
    ['another address', request('session', 's', { address: '10.0.0.2' })],
    ['another session while the holder is connected', request('session', 't')],
  ])('is new with %s', (_, wanted) => {
    const { session = '' } = wanted
    const next = settle(wanted, before(first, ['s', 't'], 99))
    expect(next).toMatchObject({ instance: { incarnation: 100 }, held: { session } })
    expect(settle(wanted, before(first, ['s', 't'], 3)).instance.incarnation).toBe(42)
  })

  it('keeps what a supervisor said when its program joins, though they see different addresses of it', () => {
    const supervised = settle(
      request('process', undefined, { metadata: { pid: '7', team: 'a' }, zone: 'z', tags: ['t'] }),
      before(undefined),
    )
    const program = request('session', 's', { address: '::1', metadata: { team: 'b' } })
    const joined = settle(program, before(supervised, ['s', 'run-1']))
    expect(joined).toMatchObject({
      instance: {
        source: 'process',
        incarnation: supervised.instance.incarnation,
        addresses: ['::1'],
        zone: 'z',
        tags: ['t'],
        metadata: { pid: '7', team: 'b' },
      },
      held: { process: 'run-1', session: 's' },
    })
    expect(settle(program, before(joined, ['s', 'run-1']))).toBe(joined)
  })

  it('joins in the other order, too', () => {
    const record = settle(
      request('process', undefined, { metadata: { pid: '7' } }),
      before(first, ['s', 'run-1']),
    )
    expect(record).toMatchObject({
      instance: { incarnation: 41, source: 'process', metadata: { pid: '7' } },
      held: { process: 'run-1', session: 's' },
    })
  })

  it('is nobody else’s', () => {
    const stranger = { ...request('lease'), principal: { name: 'stranger', admin: true } }
    expect(() => settle(stranger, before(first))).toThrow(
      expect.objectContaining({ code: 'instance_owned_by_other' }),
    )
  })
})
