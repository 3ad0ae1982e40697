import type { Check } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { nameOf } from '../registry/testing/open-tested.ts'
import { openTested, pass, refuse, type Tested } from './testing/open-tested.ts'

const opened: Tested[] = []
afterEach(async () => {
  for (const tested of opened.splice(0)) await tested.close()
})

async function open(): Promise<Tested> {
  const tested = await openTested()
  opened.push(tested)
  tested.registry.sessionOpened('s')
  return tested
}

const isThere = ({ registry }: Tested): boolean => registry.find(nameOf('a')) !== undefined

describe('an instance that lives is not removed by a refusal', () => {
  it('when it is busy with its start, and does not listen yet', async () => {
    const tested = await open()
    tested.answer = () => refuse
    await tested.register('a', { session: 's' })
    await tested.time.pass(100)
    // Loading its code, it answers nobody.
    tested.registry.sessionSilent('s')
    await tested.time.pass(3000)
    tested.registry.sessionAnswered('s')
    expect(isThere(tested)).toBe(true)
    tested.answer = () => pass
    await tested.time.pass(4000)
    expect(tested.causes('a')).toEqual([])
  })

  it('but is when its program has ended in its start', async () => {
    const tested = await open()
    tested.answer = () => refuse
    await tested.register('a', { session: 's' })
    await tested.time.pass(100)
    tested.registry.sessionClosed('s')
    await tested.time.pass(1000)
    expect(isThere(tested)).toBe(false)
  })

  const management: Check = {
    ...{
      id: 'http',
      type: 'http',
      port: 9090,
      method: 'GET',
      path: '/',
      headers: {},
      statuses: [[200, 299]],
    },
    ...{ intervalMs: 1000, timeoutMs: 500, rise: 2 },
  }

  it.each(['sessionSilent', 'sessionClosed'] as const)(
    'when it is its management port that refuses (%s)',
    async befalls => {
      const tested = await open()
      await tested.register('a', { session: 's', checks: [management] })
      await tested.time.pass(3000)
      tested.answer = ({ check }) => ('port' in check && check.port === 9090 ? refuse : pass)
      tested.registry[befalls]('s')
      await tested.time.pass(5000)
      expect(isThere(tested)).toBe(true)
      expect(tested.causes('a')).toContain('http/http')
      tested.answer = () => refuse
      tested.registry.sessionClosed('s')
      await tested.time.pass(12_000)
      expect(isThere(tested)).toBe(false)
    },
  )
})
