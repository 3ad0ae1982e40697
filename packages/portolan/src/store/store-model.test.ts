import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from './commit.ts'
import { openLmdbStore } from './lmdb.ts'
import { openMemoryStore } from './memory.ts'
import type { Change, Commit, Entry, Store } from './store.ts'
import { gather, never } from './testing/store-client.ts'

const keys = ['a', 'a/1', 'a/2', 'ab', 'b', 'b/é', 'b/😀', 'b/\uffee']
const prefixes = ['', 'a', 'a/', 'b/', 'zz']

type Step =
  | { readonly kind: 'commit'; readonly drafts: readonly Draft[] }
  | { readonly kind: 'read'; readonly prefix: string }
  | { readonly kind: 'restart' }

/** A commit whose conditions are made when its turn comes: right, wrong, or absent. */
interface Draft {
  readonly put: readonly string[]
  readonly delete: readonly string[]
  readonly expect: readonly { readonly key: string; readonly right: boolean }[]
}

const someKeys = fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 3 })
const draft: fc.Arbitrary<Draft> = fc.record({
  put: someKeys,
  delete: someKeys,
  expect: fc.array(
    fc.record({ key: fc.constantFrom(...keys), right: fc.integer({ max: 4, min: 0 }).map(n => n > 0) }),
    { maxLength: 2 },
  ),
})
const step = (restarts: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .array(draft, { minLength: 1, maxLength: 5 })
        .map(drafts => ({ kind: 'commit', drafts }) as const),
    },
    { weight: 3, arbitrary: fc.constantFrom(...prefixes).map(prefix => ({ kind: 'read', prefix }) as const) },
    ...(restarts ? [{ weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) }] : []),
  )

/** Runs the steps against a store and a plain Map; commits of one step go out together. */
async function compare(open: () => Promise<Store>, steps: readonly Step[]): Promise<void> {
  let store = await open()
  let start = (await store.read('')).cursor
  let newest = start.revision
  let changes: Change[] = []
  const model = new Map<string, Entry>()

  for (const current of steps) {
    if (current.kind === 'restart') {
      await checkWatches(store, start, changes)
      await store.close()
      store = await open()
      const { cursor } = await store.read('')
      expect(cursor.epoch).toBe(start.epoch)
      expect(cursor.revision).toBeGreaterThanOrEqual(newest)
      start = cursor
      newest = cursor.revision
      changes = []
    } else if (current.kind === 'read') {
      const { cursor, entries } = await store.read(current.prefix)
      expect(cursor.revision).toBe(newest)
      expect(entries).toEqual(under(model, current.prefix))
    } else {
      const expected = current.drafts.map(each => {
        const commit = toCommit(each, model)
        if (isEmpty(commit)) return { commit, outcome: 'invalid_request' }
        const fits = (commit.if ?? []).every(
          ({ key, revision }) => (model.get(key)?.revision ?? 0) === revision,
        )
        if (!fits) return { commit, outcome: 'store_conflict' }
        newest++
        const change = applied(commit, newest, model)
        changes.push(change)
        return { commit, outcome: newest }
      })
      const outcomes = await Promise.all(expected.map(({ commit }) => store.commit(commit).catch(codeOf)))
      expect(outcomes).toEqual(expected.map(({ outcome }) => outcome))
    }
  }
  await checkWatches(store, start, changes)
  await store.close()
}

function isEmpty(commit: Commit): boolean {
  return (commit.put?.length ?? 0) + (commit.delete?.length ?? 0) === 0
}

function toCommit(each: Draft, model: ReadonlyMap<string, Entry>): Commit {
  return {
    put: each.put.map(key => ({ key, value: `${key} ${model.size}` })),
    delete: each.delete.filter(key => !each.put.includes(key)),
    if: each.expect.map(({ key, right }) => ({
      key,
      revision: (model.get(key)?.revision ?? 0) + (right ? 0 : 1),
    })),
  }
}

function applied(commit: Commit, revision: number, model: Map<string, Entry>): Change {
  for (const { key, value } of commit.put ?? []) model.set(key, { key, value, revision })
  for (const key of commit.delete ?? []) model.delete(key)
  const gone = (commit.delete ?? []).map(key => ({ key, value: undefined }))
  return { revision, events: [...(commit.put ?? []), ...gone] }
}

function under(model: ReadonlyMap<string, Entry>, prefix: string): readonly Entry[] {
  return [...model.values()]
    .filter(entry => entry.key.startsWith(prefix))
    .sort((a, b) => compareKeys(a.key, b.key))
}

async function checkWatches(
  store: Store,
  start: { epoch: string; revision: number },
  changes: readonly Change[],
) {
  for (const prefix of prefixes) {
    const wanted = changes
      .map(({ revision, events }) => ({
        revision,
        events: events.filter(({ key }) => key.startsWith(prefix)),
      }))
      .filter(({ events }) => events.length > 0)
    if (wanted.length > 0)
      expect(await gather(store.watch(prefix, start, never), wanted.length)).toEqual(wanted)
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Fault) return error.code
  throw error
}

describe('any sequence of commits, conditions, readings and watches', () => {
  it('goes in memory as in a Map', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(false), { maxLength: 40 }), async steps => {
        await compare(async () => openMemoryStore(), steps)
      }),
      { numRuns: 200 },
    )
  }, 60_000)

  it.each([0, 250])(
    'goes in lmdb as in a Map, restarts included, checkpoints after %d ms',
    async delay => {
      await fc.assert(
        fc.asyncProperty(fc.array(step(true), { maxLength: 30 }), async steps => {
          const directory = mkdtempSync(join(tmpdir(), 'portolan-model-'))
          try {
            await compare(() => openLmdbStore({ directory, checkpointDelayMs: delay }), steps)
          } finally {
            rmSync(directory, { recursive: true, force: true })
          }
        }),
        { numRuns: 25 },
      )
    },
    60_000,
  )
})
