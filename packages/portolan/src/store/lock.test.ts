import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootId, lockDirectory } from './lock.ts'
import { startChild } from './testing/child.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'portolan-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('lockDirectory', () => {
  it('has one owner at a time, and names it', () => {
    const lock = lockDirectory(directory)
    expect(() => lockDirectory(directory)).toThrowError(
      expect.objectContaining({
        code: 'data_dir_locked',
        message: expect.stringContaining(`${process.pid}`),
      }),
    )
    lock.release()
    lockDirectory(directory).release()
    expect(readdirSync(directory)).toHaveLength(1)
  })

  it('takes over from a later process with the same pid, and from another boot', () => {
    const boot = bootId()
    for (const owner of [
      { pid: process.pid, started: '1', boot },
      { pid: process.pid, started: '1', boot: 'another' },
      { pid: 4_194_304, started: '5', boot },
    ]) {
      writeFileSync(join(directory, 'owner.7'), JSON.stringify(owner))
      lockDirectory(directory).release()
      rmSync(join(directory, 'owner.8'))
    }
  })

  it('takes over a torn file', () => {
    writeFileSync(join(directory, 'owner.3'), '{"pid":')
    lockDirectory(directory).release()
    expect(readdirSync(directory)).toEqual(['owner.4'])
  })

  it('survives that the directory is deleted beneath it', () => {
    const lock = lockDirectory(directory)
    rmSync(directory, { recursive: true })
    lock.release()
  })
})

describe('several servers on one directory', () => {
  it('are one server, after a SIGKILL as well, however many start at once', async () => {
    let killed: number | undefined
    for (let round = 0; round < 3; round++) {
      const starters = Array.from({ length: 4 }, () => startChild('starter.ts', [directory]))
      await Promise.all(starters.map(starter => starter.lines(1)))
      const owners = starters.filter(starter => starter.output() === 'open\n')
      expect(owners).toHaveLength(1)
      const pid = owners[0]?.process.pid
      expect(pid).not.toBe(killed)
      for (const starter of starters) {
        if (starter !== owners[0]) {
          expect(starter.output()).toBe(`data_dir_locked ${directory} is in use by process ${pid}\n`)
        }
      }
      await Promise.all(starters.map(starter => starter.kill()))
      killed = pid
    }
  }, 60_000)
})
