import { type Check, checkDefaults } from '@portolan/core'
import { afterEach, describe, expect, it } from 'vitest'
import { nameOf } from '../registry/testing/open-tested.ts'
import { openTested, pass, type Tested } from './testing/open-tested.ts'

const opened: Tested[] = []

afterEach(async () => {
  for (const tested of opened.splice(0)) await tested.close()
})

const patient: Check = { id: 'tcp', type: 'tcp', intervalMs: 1000, timeoutMs: 400, rise: checkDefaults.rise }

async function openSlow(latencyMs: number): Promise<Tested> {
  const tested = await openTested({ answer: () => ({ ...pass, latencyMs }) })
  opened.push(tested)
  await tested.register('a', { checks: [patient], tether: 'static' })
  await tested.time.pass(3000)
  return tested
}

describe('an instance that takes longer than others, and not too long', () => {
  it('is looked at once an interval, and no suspect each time', async () => {
    const tested = await openSlow(350)
    const looked = tested.looks.length
    const { history } = tested.health.why(nameOf('a'))
    await tested.time.pass(20_000)
    expect(tested.looks.length - looked).toBeLessThanOrEqual(21)
    expect(tested.looks.length - looked).toBeGreaterThanOrEqual(19)
    expect(tested.health.why(nameOf('a')).history).toEqual(history)
    expect(tested.causes('a')).toEqual([])
  })

  it('is out when it does not answer, after its own time-out and as long a second look', async () => {
    const tested = await openSlow(350)
    tested.answer = () => 'silent'
    const from = tested.time.now()
    while (tested.causes('a').length === 0) await tested.time.pass(10)
    expect(tested.time.now() - from).toBeLessThanOrEqual(1050 + 400 + 150 + 400 + 60)
    const [cause] = tested.registry.find(nameOf('a'))?.causes ?? []
    expect(cause?.reason).toBe('no answer within 400ms')
  })

  it('is looked at as fast as others again when it has become fast', async () => {
    const tested = await openSlow(350)
    tested.answer = () => ({ ...pass, latencyMs: 2 })
    await tested.time.pass(8000)
    tested.answer = () => 'silent'
    const from = tested.time.now()
    while (tested.causes('a').length === 0) await tested.time.pass(10)
    expect(tested.time.now() - from).toBeLessThanOrEqual(1050 + 200 + 150 + 200 + 60)
  })
})
