import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../testing/harness.ts'
import { LineSink } from './line-sink.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portolan-sink-'))
})
afterEach(() => rm(folder, { recursive: true }))

const unwanted = (error: Error): void => {
  throw error
}

describe('LineSink', () => {
  it('writes lines in their order, after what was there, and all of them on close', async () => {
    const path = join(folder, 'log')
    await writeFile(path, 'before\n')
    const sink = new LineSink(path, unwanted)
    sink.write('one\n')
    sink.flush()
    sink.write('two\n')
    sink.flush()
    sink.write('three ü\n')
    await sink.close()
    expect(await readFile(path, 'utf8')).toBe('before\none\ntwo\nthree ü\n')
    expect([sink.written, sink.dropped]).toEqual([3, 0])
    sink.write('too late\n')
    expect(sink.dropped).toBe(1)
  })

  it('goes on in a new file after the old one was renamed', async () => {
    const path = join(folder, 'log')
    const sink = new LineSink(path, unwanted)
    sink.write('one\n')
    sink.flush()
    await eventually(() => sink.written === 1)
    await rename(path, `${path}.1`)
    sink.write('two\n')
    await sink.close()
    expect(await readFile(`${path}.1`, 'utf8')).toBe('one\n')
    expect(await readFile(path, 'utf8')).toBe('two\n')
  })

  it('drops what cannot be written, says why, and goes on when it can be', async () => {
    const errors: Error[] = []
    const path = join(folder, 'later', 'log')
    const sink = new LineSink(path, error => errors.push(error))
    sink.write('lost\n')
    sink.flush()
    await eventually(() => sink.dropped === 1)
    expect(errors[0]).toMatchObject({ code: 'ENOENT' })
    await rm(join(folder, 'later'), { recursive: true, force: true })
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(folder, 'later'))
    sink.write('found\n')
    await sink.close()
    expect(await readFile(path, 'utf8')).toBe('found\n')
  })

  it('keeps no more than its bound for a target that is too slow', async () => {
    const path = join(folder, 'log')
    const sink = new LineSink(path, unwanted)
    const line = `${'x'.repeat(9999)}\n`
    // All in one turn of the loop: nothing can have been written meanwhile.
    for (let count = 0; count < 1000; count++) sink.write(line)
    expect(sink.dropped).toBeGreaterThan(800)
    await sink.close()
    expect(sink.written + sink.dropped).toBe(1000)
    expect((await readFile(path)).length).toBe(sink.written * line.length)
  })
})
