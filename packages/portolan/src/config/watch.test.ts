import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ConfigWatch, watchConfig } from './watch.ts'

describe('watching a configuration file', () => {
  let folder: string
  let file: string
  let watching: ConfigWatch
  let told: string[]
  const said = (expected: string[]) => vi.waitFor(() => expect(told).toEqual(expected), { timeout: 5000 })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portolan-watch-'))
    file = join(folder, 'portolan.yaml')
    await writeFile(file, 'data: one\n')
    told = []
    watching = watchConfig(file, {
      accept: ({ config }) => told.push(String(config.data)),
      refuse: reason => told.push(String(reason).split('\n')[0] ?? ''),
    })
  })
  afterEach(async () => {
    watching.close()
    await rm(folder, { recursive: true })
  })

  it('reads a file that was written again, and one that took its place', async () => {
    await writeFile(file, 'data: two\n')
    await said(['two'])
    await writeFile(`${file}.new`, 'data: three\n')
    await rename(`${file}.new`, file)
    await said(['two', 'three'])
  })

  it('refuses what does not hold, and takes what holds again', async () => {
    await writeFile(file, 'dat: two\n')
    await said(['Fault: there is one problem in the configuration'])
    await writeFile(file, 'data: two\n')
    await said(['Fault: there is one problem in the configuration', 'two'])
  })

  it('reads it on SIGHUP, changed or not', async () => {
    process.emit('SIGHUP')
    await said(['one'])
  })

  it('hears nothing once it is closed', async () => {
    const before = process.listenerCount('SIGHUP')
    watching.close()
    expect(process.listenerCount('SIGHUP')).toBe(before - 1)
    await watching.reload()
    expect(told).toEqual([])
  })
})
