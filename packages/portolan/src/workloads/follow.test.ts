import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Following, followOutput } from './follow.ts'

let folder: string
let following: Following | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-follow-'))
})
afterEach(() => {
  following?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('following an output file', () => {
  it('gives whole lines from now on, before and after a cut', async () => {
    const path = join(folder, 'a.log')
    writeFileSync(path, 'earlier\n')
    const lines: string[] = []
    following = followOutput(path, line => lines.push(line))
    await following.look()
    appendFileSync(path, 'one\ntw')
    await following.look()
    expect(lines).toEqual(['one'])
    appendFileSync(path, Buffer.from([0x6f, 0x20, 0xc3]))
    await following.look()
    appendFileSync(path, Buffer.from([0xa9, 0x0a]))
    await following.look()
    expect(lines).toEqual(['one', 'two é'])
    truncateSync(path, 0)
    await following.look()
    appendFileSync(path, 'three\n')
    await following.look()
    expect(lines.slice(2)).toEqual(['three'])
  })

  it('waits for a file that is not there yet, and polls by itself', async () => {
    const path = join(folder, 'later.log')
    const lines: string[] = []
    following = followOutput(path, line => lines.push(line))
    await following.look()
    writeFileSync(path, 'here\n')
    await vi.waitFor(() => expect(lines).toEqual(['here']), { timeout: 5000 })
  })
})
