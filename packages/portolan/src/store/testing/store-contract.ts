import type { Fault } from '@portolan/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Change, Store } from '../store.ts'
import { entry, faultOf, gather, never, put } from './store-client.ts'

/** Opens an empty store that keeps about `historyChanges` changes (default: thousands) for watchers. */
export type OpenEmptyStore = (options?: { readonly historyChanges?: number }) => Promise<Store>

/** What every store promises, whatever is beneath. */
export function storeContract(name: string, openEmpty: OpenEmptyStore): void {
  describe(`${name}: the store contract`, () => {
    let store: Store

    beforeEach(async () => {
      store = await openEmpty()
    })
    afterEach(() => store.close())

    describe('commit', () => {
      it('answers with revisions that grow, and read shows what was written, and when', async () => {
        const first = await store.commit(put('a', '1'))
        const second = await store.commit(put('b', '2'))
        expect(second).toBeGreaterThan(first)
        const { cursor, entries } = await store.read('')
        expect(cursor.revision).toBe(second)
        expect(entries).toEqual([entry('a', '1', first), entry('b', '2', second)])
      })

      it('changes several keys at one revision', async () => {
        await store.commit(put('old', '0'))
        const revision = await store.commit({
          put: [
            { key: 'x', value: '1' },
            { key: 'y', value: '2' },
          ],
          delete: ['old'],
        })
        expect((await store.read('')).entries).toEqual([entry('x', '1', revision), entry('y', '2', revision)])
      })

      it('takes revision 0 in a condition for "absent"', async () => {
        const created = await store.commit({ if: [{ key: 'a', revision: 0 }], ...put('a', '1') })
        const fault = await faultOf(store.commit({ if: [{ key: 'a', revision: 0 }], ...put('a', '2') }))
        expect(fault.code).toBe('store_conflict')
        expect(fault.message).toContain('a')
        expect((await store.read('a')).entries).toEqual([entry('a', '1', created)])
      })

      it('takes a key that was deleted for absent', async () => {
        await store.commit(put('a', '1'))
        await store.commit({ delete: ['a'] })
        await store.commit({ if: [{ key: 'a', revision: 0 }], ...put('a', '2') })
        expect((await store.read('a')).entries[0]?.value).toBe('2')
      })

      it('compares with the revision of the last write', async () => {
        const first = await store.commit(put('a', '1'))
        const second = await store.commit({ if: [{ key: 'a', revision: first }], ...put('a', '2') })
        const fault = await faultOf(store.commit({ if: [{ key: 'a', revision: first }], ...put('a', '3') }))
        expect(fault).toMatchObject({ code: 'store_conflict', retryable: false })
        expect((await store.read('a')).entries).toEqual([entry('a', '2', second)])
      })

      it('writes nothing at all when one of several conditions fails', async () => {
        const a = await store.commit(put('a', '1'))
        const before = await store.read('')
        const stale = {
          if: [
            { key: 'a', revision: a },
            { key: 'b', revision: 7_777 },
          ],
          put: [{ key: 'a', value: '9' }],
          delete: ['a2'],
        }
        expect((await faultOf(store.commit(stale))).code).toBe('store_conflict')
        expect(await store.read('')).toEqual(before)
      })

      it('is refused when it is empty, conditions or not', async () => {
        const before = await store.read('')
        for (const empty of [{}, { put: [], delete: [] }, { if: [{ key: 'a', revision: 0 }] }]) {
          expect((await faultOf(store.commit(empty))).code).toBe('invalid_request')
        }
        expect(await store.read('')).toEqual(before)
      })

      it.each([
        ['an empty key', put('', '1')],
        ['a key that is too long', put('k'.repeat(481), '1')],
        ['a control character', put('a\u0000b', '1')],
        ['half a letter', put('a\ud800', '1')],
        ['a value that is too long', put('a', 'v'.repeat(1_048_577))],
        ['a key twice', { ...put('a', '1'), delete: ['a'] }],
      ])('is refused with %s', async (_, commit) => {
        expect((await faultOf(store.commit(commit))).code).toBe('invalid_request')
        expect((await store.read('')).entries).toEqual([])
      })

      it('holds the longest keys and values that are allowed', async () => {
        const key = '€'.repeat(480)
        const value = '😀'.repeat(524_288)
        await store.commit(put(key, value))
        expect((await store.read('€')).entries.map(found => [found.key, found.value])).toEqual([[key, value]])
      })

      it('lets exactly one of many concurrent writers create a key', async () => {
        const tries = Array.from({ length: 50 }, (_, index) =>
          store.commit({ if: [{ key: 'leader', revision: 0 }], ...put('leader', `${index}`) }),
        )
        const outcomes = await Promise.allSettled(tries)
        expect(outcomes.filter(outcome => outcome.status === 'fulfilled')).toHaveLength(1)
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect((outcome.reason as Fault).code).toBe('store_conflict')
        }
      })

      it('gives concurrent commits distinct revisions in the order of the calls', async () => {
        const keys = Array.from({ length: 300 }, (_, index) => `k${String(index).padStart(3, '0')}`)
        const revisions = await Promise.all(keys.map(key => store.commit(put(key, key))))
        expect(new Set(revisions).size).toBe(300)
        expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
        expect((await store.read('k')).entries.map(found => found.revision)).toEqual(revisions)
      })

      it('lets a commit see the one that was called before it, resolved or not', async () => {
        const first = store.commit(put('a', '1'))
        const blind = store.commit({ if: [{ key: 'a', revision: 0 }], ...put('a', '2') })
        const gone = store.commit({ delete: ['a'] })
        const again = store.commit({ if: [{ key: 'a', revision: 0 }], ...put('a', '3') })
        expect((await faultOf(blind)).code).toBe('store_conflict')
        expect(await gone).toBeGreaterThan(await first)
        expect((await store.read('a')).entries).toEqual([entry('a', '3', await again)])
      })
    })

    describe('read', () => {
      it('orders by code point and shows the prefix only', async () => {
        const keys = ['a/b', 'a', 'a/', 'a/~', 'a/é', 'a/\uffee', 'a/😀', 'a0', 'b', 'a/B', 'a/ ']
        await Promise.all(keys.map(key => store.commit(put(key, key))))
        const found = (await store.read('a/')).entries.map(({ key }) => key)
        expect(found).toEqual(['a/', 'a/ ', 'a/B', 'a/b', 'a/~', 'a/é', 'a/\uffee', 'a/😀'])
        expect((await store.read('')).entries).toHaveLength(keys.length)
        expect((await store.read('zzz')).entries).toEqual([])
      })

      it('shows a commit whole or not at all', async () => {
        const writes: Promise<number>[] = []
        for (let round = 0; round < 100; round++) {
          const value = String(round)
          writes.push(
            store.commit({
              put: [
                { key: 'l', value },
                { key: 'r', value },
              ],
            }),
          )
          const { cursor, entries } = await store.read('')
          expect(entries[0]?.value).toBe(entries[1]?.value)
          for (const { revision } of entries) expect(revision).toBeLessThanOrEqual(cursor.revision)
        }
        await Promise.all(writes)
      })
    })

    describe('watch', () => {
      it('tells every change after the cursor, once and in order, past and future alike', async () => {
        await store.commit(put('before', '0'))
        const { cursor } = await store.read('')
        const past = [await store.commit(put('a', '1')), await store.commit({ delete: ['a'] })]
        const watching = gather(store.watch('', cursor, never), 3)
        past.push(await store.commit(put('b', '2')))
        expect(await watching).toEqual([
          { revision: past[0], events: [{ key: 'a', value: '1' }] },
          { revision: past[1], events: [{ key: 'a', value: undefined }] },
          { revision: past[2], events: [{ key: 'b', value: '2' }] },
        ])
      })

      it('cuts a change down to the prefix and keeps quiet about the others', async () => {
        const { cursor } = await store.read('')
        const watching = gather(store.watch('in/', cursor, never), 2)
        await store.commit(put('out/1', '0'))
        const mixed = { put: [put('in/1', '1').put, put('out/2', '0').put].flat(), delete: ['in/0'] }
        const first = await store.commit(mixed)
        await store.commit(put('in', '0'))
        const second = await store.commit(put('in/2', '2'))
        expect(await watching).toEqual([
          {
            revision: first,
            events: [
              { key: 'in/1', value: '1' },
              { key: 'in/0', value: undefined },
            ],
          },
          { revision: second, events: [{ key: 'in/2', value: '2' }] },
        ])
      })

      it('starts exactly where a reading ended', async () => {
        const writes: Promise<number>[] = []
        for (let index = 0; index < 50; index++) writes.push(store.commit(put(`k${index}`, '1')))
        const { cursor, entries } = await store.read('')
        for (let index = 50; index < 100; index++) writes.push(store.commit(put(`k${index}`, '1')))
        const rest = await gather(store.watch('', cursor, never), 100 - entries.length)
        const seen = [...entries, ...rest].map(({ revision }) => revision).sort((a, b) => a - b)
        expect(seen).toEqual(await Promise.all(writes))
      })

      it('tells nobody of a change before its writer knows, and a reading then has it', async () => {
        const { cursor } = await store.read('')
        const order: string[] = []
        const watching = gather(store.watch('', cursor, never), 1).then(async ([change]) => {
          order.push('watcher')
          expect((await store.read('')).cursor.revision).toBeGreaterThanOrEqual(change?.revision ?? Infinity)
        })
        const writing = store.commit(put('a', '1')).then(() => order.push('writer'))
        await Promise.all([watching, writing])
        expect(order).toEqual(['writer', 'watcher'])
      })

      it('does not tell of a commit that failed', async () => {
        const { cursor } = await store.read('')
        const watching = gather(store.watch('', cursor, never), 1)
        await faultOf(store.commit({ if: [{ key: 'a', revision: 5 }], ...put('a', '1') }))
        const revision = await store.commit(put('b', '1'))
        expect(await watching).toEqual([{ revision, events: [{ key: 'b', value: '1' }] }])
      })

      it('blocks no commit and loses nothing when the watcher is slow', async () => {
        const { cursor } = await store.read('')
        const watching = store.watch('', cursor, never)[Symbol.asyncIterator]()
        const seen: number[] = []
        const written: number[] = []
        for (let round = 0; round < 40; round++) {
          written.push(
            ...(await Promise.all([store.commit(put('a', `${round}`)), store.commit(put('b', '0'))])),
          )
          if (round % 8 === 0) seen.push((await watching.next()).value.revision)
        }
        while (seen.length < written.length) seen.push((await watching.next()).value.revision)
        expect(seen).toEqual(written)
        await watching.return?.()
      })

      it('keeps watchers of one prefix apart', async () => {
        const { cursor } = await store.read('')
        const both = [
          gather(store.watch('a', cursor, never), 2),
          gather(store.watch('a', cursor, never), 2),
        ] as const
        await store.commit(put('a1', '1'))
        await store.commit(put('a2', '1'))
        expect(await both[0]).toEqual(await both[1])
      })
    })

    describe('a watch is refused with store_compacted', () => {
      const refusal = async (changes: AsyncIterable<Change>) => (await faultOf(gather(changes, 1))).code

      it('from another epoch', async () => {
        const { revision } = (await store.read('')).cursor
        expect(await refusal(store.watch('', { epoch: 'other', revision }, never))).toBe('store_compacted')
      })

      it('from the future', async () => {
        const { epoch, revision } = (await store.read('')).cursor
        const future = { epoch, revision: revision + 1 }
        expect(await refusal(store.watch('', future, never))).toBe('store_compacted')
      })

      it('from before what is kept', async () => {
        const small = await openEmpty({ historyChanges: 8 })
        const { cursor } = await small.read('')
        for (let index = 0; index < 100; index++) await small.commit(put('a', `${index}`))
        expect(await refusal(small.watch('', cursor, never))).toBe('store_compacted')
        await small.close()
      })

      it('in the middle, when the watcher falls behind what is kept', async () => {
        const small = await openEmpty({ historyChanges: 8 })
        const { cursor } = await small.read('')
        const watching = small.watch('a', cursor, never)[Symbol.asyncIterator]()
        for (let index = 0; index < 100; index++) await small.commit(put('a', `${index}`))
        expect((await faultOf(watching.next())).code).toBe('store_compacted')
        expect(await watching.next()).toEqual({ done: true, value: undefined })
        await small.close()
      })

      it('but not for what others wrote while the watcher slept', async () => {
        const small = await openEmpty({ historyChanges: 8 })
        const { cursor } = await small.read('')
        const watching = gather(small.watch('mine', cursor, never), 1)
        for (let index = 0; index < 100; index++) await small.commit(put('other', `${index}`))
        const revision = await small.commit(put('mine', '1'))
        expect(await watching).toEqual([{ revision, events: [{ key: 'mine', value: '1' }] }])
        await small.close()
      })
    })

    describe('the end', () => {
      it('comes to a watch when its signal aborts, and to no other', async () => {
        const { cursor } = await store.read('')
        const leaving = new AbortController()
        const left = gather(store.watch('', cursor, leaving.signal), 9)
        const stays = gather(store.watch('', cursor, never), 1)
        leaving.abort()
        expect(await left).toEqual([])
        await store.commit(put('a', '1'))
        expect(await stays).toHaveLength(1)
      })

      it('comes at once to a watch whose signal was aborted before', async () => {
        const { cursor } = await store.read('')
        await store.commit(put('a', '1'))
        expect(await gather(store.watch('', cursor, AbortSignal.abort()), 1)).toEqual([])
      })

      it('comes to every watch when the store closes, and everything after it is refused', async () => {
        const { cursor } = await store.read('')
        const watching = gather(store.watch('', cursor, never), 9)
        const pending = store.commit(put('a', '1'))
        await store.close()
        expect(await pending).toBeGreaterThan(cursor.revision)
        expect((await watching).length).toBeLessThanOrEqual(1)
        expect((await faultOf(store.commit(put('a', '1')))).code).toBe('store_closed')
        expect((await faultOf(store.read(''))).code).toBe('store_closed')
        expect((await faultOf(gather(store.watch('', cursor, never), 1))).code).toBe('store_closed')
        await store.close()
      })
    })
  })
}
