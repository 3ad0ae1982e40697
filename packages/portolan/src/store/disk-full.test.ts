import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLmdbStore } from './lmdb.ts'
import { startChild } from './testing/child.ts'
import { put } from './testing/store-client.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portolan-full-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

it('refuses what no longer fits as store_failed, loses nothing else, and goes on once there is room', async () => {
  // A limit on the length of a file, met in the middle of a write, is a full disk without one.
  const limited = ['sh', '-c', 'trap "" XFSZ; ulimit -f 4000; exec "$@"', 'sh']
  const child = startChild('filler.ts', [directory], limited)
  await child.lines(1)
  await child.kill()
  const { acknowledged, codes, entries } = JSON.parse(child.output())
  expect(acknowledged).toBeGreaterThan(50)
  expect(codes).toEqual(['store_failed true'])
  expect(entries).toBe(acknowledged)

  const store = await openLmdbStore({ directory })
  const found = (await store.read('k')).entries
  expect(found.length).toBe(acknowledged)
  expect(found.every(entry => entry.value.length === 20_000)).toBe(true)
  await store.commit(put('room', 'again'))
  await store.close()
}, 60_000)
