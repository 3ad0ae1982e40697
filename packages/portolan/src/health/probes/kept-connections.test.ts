import { budgetRules, type Check, type Milliseconds } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from './connection.ts'
import { KeptConnections } from './kept-connections.ts'
import { instanceAt } from './testing/targets.ts'

const instance = instanceAt(80)

function connect(intervalMs: Milliseconds): Connection<Check> & { readonly destroyed: () => boolean } {
  let isDestroyed = false
  const check: Check = { type: 'tcp', id: 'tcp', intervalMs, timeoutMs: 500, rise: 2 }
  return {
    plan: { instance, check, addresses: ['127.0.0.1'], port: 80, tls: undefined },
    waitingFor: 'nothing',
    ask() {},
    destroy() {
      isDestroyed = true
    },
    destroyed: () => isDestroyed,
  }
}

let kept: KeptConnections<Check>
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  kept = new KeptConnections()
})
afterEach(() => {
  kept.close()
  vi.useRealTimers()
})

describe('a connection between two probes', () => {
  it('is there still when the next comes as late as the budget may have it', () => {
    const connection = connect(1000)
    kept.put(connection)
    vi.advanceTimersByTime(budgetRules.longestMs + 2000)
    expect(kept.take(instance, connection.plan.check)).toBe(connection)
  })

  it('is there still when an interval that is longer than that is stretched', () => {
    const connection = connect(60_000)
    kept.put(connection)
    vi.advanceTimersByTime(120_000)
    expect(kept.take(instance, connection.plan.check)).toBe(connection)
  })

  it('is closed when no probe comes', () => {
    const connection = connect(1000)
    kept.put(connection)
    vi.advanceTimersByTime(2 * budgetRules.longestMs)
    expect(connection.destroyed()).toBe(true)
    expect(kept.take(instance, connection.plan.check)).toBeUndefined()
  })
})
