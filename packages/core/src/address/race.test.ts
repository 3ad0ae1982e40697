import { describe, expect, it } from 'vitest'
import { race } from './race.ts'

/** A race whose attempts and timer stand still until a test moves them. */
function staged(addresses: readonly string[]) {
  const log: string[] = []
  const attempts = new Map<string, { opened: (name: string) => void; failed: (error: Error) => void }>()
  let timer: (() => void) | undefined
  const cancel = race<string>({
    addresses,
    headStartMs: 200,
    start(address, opened, failed) {
      log.push(`start ${address}`)
      attempts.set(address, { opened, failed })
      return () => log.push(`stop ${address}`)
    },
    after(ms, run) {
      expect(ms).toBe(200)
      timer = run
      return () => {
        timer = undefined
      }
    },
    won: name => log.push(`won ${name}`),
    lost: error => log.push(`lost ${error.message}`),
  })
  return {
    log,
    cancel,
    open: (address: string) => attempts.get(address)?.opened(address),
    fail: (address: string) => attempts.get(address)?.failed(new Error(address)),
    wait: () => timer?.(),
    get waits() {
      return timer !== undefined
    },
  }
}

describe('a race of addresses', () => {
  it('is over when the first answers within its head start', () => {
    const one = staged(['a', 'b'])
    one.open('a')
    expect(one.log).toEqual(['start a', 'won a'])
    expect(one.waits).toBe(false)
  })

  it('starts the second beside the first when that is slow, and stops whoever loses', () => {
    const one = staged(['a', 'b', 'c'])
    one.wait()
    expect(one.log).toEqual(['start a', 'start b'])
    one.open('b')
    expect(one.log.slice(2)).toEqual(['stop a', 'won b'])
    one.open('a')
    one.fail('a')
    expect(one.log).toHaveLength(4)
    expect(one.waits).toBe(false)
  })

  it('starts the second at once when the first fails, with a head start of its own', () => {
    const one = staged(['a', 'b', 'c'])
    one.fail('a')
    expect(one.log).toEqual(['start a', 'start b'])
    one.wait()
    expect(one.log).toEqual(['start a', 'start b', 'start c'])
    one.open('c')
    expect(one.log.slice(3)).toEqual(['stop b', 'won c'])
  })

  it('lets the slow first win after the second failed', () => {
    const one = staged(['a', 'b'])
    one.wait()
    one.fail('b')
    one.open('a')
    expect(one.log).toEqual(['start a', 'start b', 'won a'])
  })

  it('is lost when all have failed, once, with the last error', () => {
    const one = staged(['a', 'b'])
    one.wait()
    one.fail('a')
    one.fail('b')
    one.fail('b')
    expect(one.log).toEqual(['start a', 'start b', 'lost b'])
  })

  it('can be called off', () => {
    const one = staged(['a', 'b', 'c'])
    one.wait()
    one.cancel()
    one.cancel()
    one.fail('a')
    one.open('b')
    expect(one.log).toEqual(['start a', 'start b', 'stop a', 'stop b'])
    expect(one.waits).toBe(false)
  })
})
