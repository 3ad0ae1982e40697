import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isOrphaned, newMarks } from './script-marks.ts'

describe('the marks of runs', () => {
  it('are those of this process for as long as it runs, and no two probes share them', () => {
    expect(newMarks()).toMatch(/^\d+\.\d+\.[1-9]\d*\.[0-9a-f]{8}-$/)
    expect(newMarks()).not.toBe(newMarks())
    expect(isOrphaned(`${newMarks()}7`)).toBe(false)
  })

  it('are orphaned when that process is gone, or another one has its number', async () => {
    const [namespace, pid, ticks] = newMarks().split('.')
    expect(isOrphaned(`${namespace}.${pid}.${Number(ticks) - 1}.0-1`)).toBe(true)
    const child = spawn('/bin/true')
    await once(child, 'exit')
    expect(isOrphaned(`${namespace}.${child.pid}.1.0-1`)).toBe(true)
  })

  it.each(['', '1.2.3.4-5', 'x', '....', 'unknown.1.1.0-1'])('are nobody’s here: %j', mark => {
    expect(isOrphaned(mark)).toBe(false)
  })
})
