import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { open } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdbStore } from './lmdb.ts'
import { faultOf, gather, never, put } from './testing/store-client.ts'

let root: string
let directory: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portolan-files-'))
  directory = join(root, 'data')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Opens, writes one key, closes; answers with the cursor after the write. */
async function writeOnce(key: string, lineageToleranceMs?: number) {
  const tolerance = lineageToleranceMs === undefined ? {} : { lineageToleranceMs }
  const store = await openLmdbStore({ directory, ...tolerance })
  await store.commit(put(key, key))
  const { cursor, entries } = await store.read('')
  await store.close()
  return { cursor, keys: entries.map(entry => entry.key) }
}

function shell(command: string, ...args: readonly string[]) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
}

describe('a start', () => {
  it('goes on in the same epoch at a higher revision, with everything in place', async () => {
    const first = await writeOnce('a')
    const second = await writeOnce('b')
    expect(second.cursor.epoch).toBe(first.cursor.epoch)
    expect(second.cursor.revision).toBeGreaterThan(first.cursor.revision)
    expect(second.keys).toEqual(['a', 'b'])
  })

  it('refuses to watch from before it', async () => {
    const { cursor } = await writeOnce('a')
    const store = await openLmdbStore({ directory })
    expect((await faultOf(gather(store.watch('', cursor, never), 1))).code).toBe('store_compacted')
    await store.close()
  })

  it('takes another epoch when the directory was deleted', async () => {
    const { cursor } = await writeOnce('a')
    rmSync(directory, { recursive: true })
    expect((await writeOnce('a')).cursor.epoch).not.toBe(cursor.epoch)
  })

  it('takes another epoch and a higher revision when a copy was put in its place', async () => {
    const old = await writeOnce('a')
    shell('cp', '-a', directory, `${directory}.copy`)
    const lost = await writeOnce('b')
    expect(lost.cursor.epoch).toBe(old.cursor.epoch)
    rmSync(directory, { recursive: true })
    shell('cp', '-a', `${directory}.copy`, directory)
    const restored = await writeOnce('c')
    expect(restored.cursor.epoch).not.toBe(old.cursor.epoch)
    expect(restored.cursor.revision).toBeGreaterThan(old.cursor.revision)
    expect(restored.keys).toEqual(['a', 'c'])
  })

  it('takes another epoch when a copy was written over the file', async () => {
    const old = await writeOnce('a')
    const file = join(directory, 'store.mdb')
    shell('cp', file, `${file}.copy`)
    await writeOnce('b')
    const { ino } = statSync(file)
    await delay(600)
    shell('cp', `${file}.copy`, file)
    expect(statSync(file).ino).toBe(ino)
    const restored = await writeOnce('c', 500)
    expect(restored.cursor.epoch).not.toBe(old.cursor.epoch)
    expect(restored.keys).toEqual(['a', 'c'])
  })

  it('gives no revision twice, even when so fresh a copy was written over the file that nobody can tell', async () => {
    const old = await writeOnce('a')
    const file = join(directory, 'store.mdb')
    shell('cp', file, `${file}.copy`)
    const lost = await writeOnce('b')
    shell('cp', `${file}.copy`, file)
    const store = await openLmdbStore({ directory, lineageToleranceMs: 600_000 })
    const { cursor } = await store.read('')
    expect(cursor.epoch).toBe(old.cursor.epoch)
    expect((await faultOf(gather(store.watch('', lost.cursor, never), 1))).code).toBe('store_compacted')
    await store.close()
  })
})

describe('a directory that cannot be used', () => {
  const refusal = () => faultOf(openLmdbStore({ directory }))

  it('is closed to other users', async () => {
    mkdirSync(directory, { mode: 0o755 })
    await writeOnce('a')
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it('is refused when it is a file', async () => {
    writeFileSync(directory, '')
    expect(await refusal()).toMatchObject({
      code: 'store_failed',
      retryable: false,
      message: expect.stringContaining('not a directory'),
    })
  })

  it.each([
    ['is full of noise', (file: string) => writeFileSync(file, Buffer.alloc(65_536, 'noise'))],
    ['is cut short', (file: string) => truncateSync(file, 5_000)],
    ['lost its second half', (file: string) => truncateSync(file, readFileSync(file).length / 2)],
  ])('is refused when the data file %s', async (_, harm) => {
    const store = await openLmdbStore({ directory })
    for (let index = 0; index < 200; index++) void store.commit(put(`k${index}`, 'v'.repeat(3000)))
    await store.close()
    harm(join(directory, 'store.mdb'))
    const fault = await refusal()
    expect(fault).toMatchObject({ code: 'store_failed', retryable: false })
    expect(fault.hint).toContain('move the data directory away')
    expect(await refusal()).toMatchObject({ code: 'store_failed' })
  })

  it('is refused when a newer version wrote it', async () => {
    mkdirSync(directory)
    const newer = open<string, number>({
      path: join(directory, 'store.mdb'),
      noSubdir: true,
      encoding: 'string',
    })
    await newer.put(0, JSON.stringify({ v: 2 }))
    await newer.close()
    expect(await refusal()).toMatchObject({ message: expect.stringContaining('newer version (format 2)') })
  })
})
