import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal, replay } from './journal.ts'
import type { Change } from './store.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portolan-journal-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const change = (revision: number, size = 5): Change => ({
  revision,
  events: [
    { key: `k${revision}`, value: 'ü'.repeat(size) },
    { key: 'gone', value: undefined },
  ],
})

const revisionsAfter = (revision: number, epoch = 'e') =>
  [...replay(directory, epoch, revision)].flat().map(found => found.revision)

async function written(last: number, size?: number): Promise<void> {
  const journal = new Journal(directory, 'e', 0)
  for (let revision = 1; revision <= last; revision += 2) {
    await journal.append([change(revision, size), change(revision + 1, size)])
  }
  journal.close()
}

describe('Journal', () => {
  it('gives back what was appended, deletions included', async () => {
    await written(4)
    expect([...replay(directory, 'e', 0)].flat()).toEqual([1, 2, 3, 4].map(revision => change(revision)))
  })

  it('gives back what came after a revision, also from the middle of a transaction', async () => {
    await written(6)
    expect(revisionsAfter(3)).toEqual([4, 5, 6])
    expect(revisionsAfter(6)).toEqual([])
  })

  it('gives back nothing of another epoch, and nothing after a gap', async () => {
    await written(4)
    expect(revisionsAfter(0, 'other')).toEqual([])
    const journal = new Journal(directory, 'e', 4)
    await journal.append([change(9)])
    journal.close()
    expect(revisionsAfter(0)).toEqual([1, 2, 3, 4])
  })

  it('goes on in another file, and forgets those whose changes are elsewhere', async () => {
    const journal = new Journal(directory, 'e', 0)
    for (let revision = 1; revision <= 12; revision++) await journal.append([change(revision, 1_000_000)])
    expect(readdirSync(directory).length).toBeGreaterThan(2)
    expect(revisionsAfter(0)).toHaveLength(12)
    await journal.sync()
    await journal.forget(11)
    expect(readdirSync(directory)).toHaveLength(1)
    expect(revisionsAfter(11)).toEqual([12])
    journal.remove()
    expect(readdirSync(directory)).toEqual([])
  })

  it('ends at a cut or a flipped bit, wherever it is, and never invents a change', async () => {
    await written(20)
    const path = join(directory, 'journal.1')
    const whole = readFileSync(path)
    const all = revisionsAfter(0)
    const at = fc.nat(whole.length - 1)
    fc.assert(
      fc.property(at, fc.boolean(), fc.nat(7), (position, cut, bit) => {
        writeFileSync(path, whole)
        if (cut) truncateSync(path, position)
        else
          writeFileSync(
            path,
            whole.map((byte, index) => (index === position ? byte ^ (1 << bit) : byte)),
          )
        const found = revisionsAfter(0)
        expect(found).toEqual(all.slice(0, found.length))
        expect(found.length).toBeLessThan(all.length)
      }),
      { numRuns: 300 },
    )
  })

  it('overlooks noise after its end', async () => {
    await written(4)
    appendFileSync(join(directory, 'journal.1'), Buffer.alloc(100))
    expect(revisionsAfter(0)).toEqual([1, 2, 3, 4])
  })
})
