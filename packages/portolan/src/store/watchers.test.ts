import { describe, expect, it } from 'vitest'
import { never } from './testing/store-client.ts'
import { Watchers } from './watchers.ts'

describe('Watchers', () => {
  it('wakes only those whose prefix a change touched', async () => {
    const watchers = new Watchers({ epoch: 'e', revision: 0 })
    const woken: string[] = []
    const prefixes = ['a/', 'b/', 'a/1', 'c']
    for (const prefix of prefixes) {
      const changes = watchers.watch(prefix, watchers.cursor, never)[Symbol.asyncIterator]()
      changes.next().then(
        () => woken.push(prefix),
        () => woken.push('fault'),
      )
    }
    await Promise.resolve()
    watchers.publish({ revision: 1, events: [{ key: 'a/1', value: 'x' }] })
    await new Promise(setImmediate)
    expect(woken).toEqual(['a/', 'a/1'])
    watchers.close()
  })

  it('lets go of a watcher that leaves: by break, by its signal, unread or not', async () => {
    const watchers = new Watchers({ epoch: 'e', revision: 0 })
    const leaving = new AbortController()
    const start = watchers.cursor
    watchers.watch('unread', start, leaving.signal)
    watchers.publish({ revision: 1, events: [{ key: 'k', value: 'x' }] })
    for await (const change of watchers.watch('k', start, never)) {
      expect(watchers.size).toBe(2)
      expect(change.revision).toBe(1)
      break
    }
    expect(watchers.size).toBe(1)
    leaving.abort()
    expect(watchers.size).toBe(0)
  })
})
