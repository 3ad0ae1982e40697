import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdbStore } from './lmdb.ts'
import type { Entry } from './store.ts'
import { type Child, startChild } from './testing/child.ts'

const rounds = 12

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portolan-crash-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('a SIGKILL in the middle of heavy writes', () => {
  it('loses nothing that was acknowledged, tears no commit, and keeps epoch and order', async () => {
    let epoch: string | undefined
    let newest = 0
    for (let round = 0; round < rounds; round++) {
      // The tree close behind the journal, or far: both the checkpoint and the journal get killed in the middle.
      const delay = round % 3 === 0 ? '250' : '0'
      const child = startChild('heavy-writer.ts', [directory, String(round), delay])
      await child.lines(200 + 600 * round)
      await child.kill()
      expect(child.process.signalCode).toBe('SIGKILL')
      const { childEpoch, acknowledged } = parse(child)
      expect(acknowledged.size).toBeGreaterThan(100)

      const store = await openLmdbStore({ directory })
      const { cursor } = await store.read('none')
      const left = byKey((await store.read(`left/${round}/`)).entries)
      const right = byKey((await store.read(`right/${round}/`)).entries)
      await store.close()

      epoch ??= childEpoch
      expect([childEpoch, cursor.epoch]).toEqual([epoch, epoch])
      const highest = Math.max(...acknowledged.keys())
      for (const [number, revision] of acknowledged) {
        expect(revision).toBeGreaterThan(newest)
        expect(cursor.revision).toBeGreaterThan(revision)
        const found = left.get(`left/${round}/${number}`)
        // Deleted by a later commit, which may have been written without being acknowledged yet.
        if (found === undefined) expect(number).toBeLessThanOrEqual(highest + 64 - 1000)
        else expect(found.revision).toBe(revision)
      }
      for (const [key, entry] of left) {
        expect(right.get(key.replace('left', 'right'))?.revision).toBe(entry.revision)
      }
      expect(right.size).toBe(left.size)
      newest = cursor.revision
    }
  }, 120_000)
})

function parse(child: Child) {
  // The last line may be cut off in the middle.
  const [childEpoch, ...lines] = child.output().split('\n').slice(0, -1)
  const pairs = lines.map(line => line.split(' ').map(Number) as [number, number])
  return { childEpoch, acknowledged: new Map(pairs) }
}

function byKey(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map(entry => [entry.key, entry]))
}
