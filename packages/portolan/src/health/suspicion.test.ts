import { healthRules } from '@portolan/core'
import { expect, it } from 'vitest'
import { virtualTime } from '../registry/testing/virtual-time.ts'
import { FairTime } from './fair-time.ts'
import { Suspicion } from './suspicion.ts'

it('keeps nothing of re-checks that told nothing, however long nobody answers', async () => {
  const virtual = virtualTime()
  const time = new FairTime({ clock: virtual, timers: virtual, onLag() {}, onFault() {} })
  let begun = 0
  let cancelled = 0
  const suspicion = new Suspicion(1, healthRules, time, (_round, timeoutMs, over) => {
    begun++
    virtual.after(timeoutMs, () => {
      over()
      suspicion.again()
    })
    return { cancel: () => cancelled++ }
  })
  suspicion.start()
  await virtual.pass(600_000)
  expect(begun).toBeGreaterThan(500)
  suspicion.end()
  expect(cancelled).toBeLessThanOrEqual(healthRules.rechecks)
  time.close()
})
