import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../simulate/simulation.ts'
import { portolan } from '../testing/terminal.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'portolan-simulate-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const simulate = (...line: string[]) => portolan(['simulate', ...line])

/** A quarter of a minute of requests. */
function trace(): string {
  const rows = Array.from(
    { length: 16 },
    (_, i) => `2026-01-01T00:00:${String(i).padStart(2, '0')}Z,${1 + (i % 3)}`,
  )
  const file = join(dir, 'requests.csv')
  writeFileSync(file, `timestamp,value\n${rows.join('\n')}\n`)
  return file
}

describe('simulate', () => {
  it('prints a table a scenario, a line a policy', async () => {
    const { exit, out, err } = await simulate(
      'equal-0.7',
      '--trace',
      trace(),
      '--policy',
      'adaptive',
      '--policy',
      'oracle',
    )
    expect({ exit, err }).toEqual({ exit: 0, err: '' })
    expect(out).toMatch(
      /^equal-0\.7: ten equal servers at 70 %; requests as in requests\.csv\nPOLICY +P50 +P90/,
    )
    expect(out).toMatch(/\nadaptive +\d/)
    expect(out).toMatch(/\noracle +\d/)
  })

  it('answers programs with JSON, the same each time for one seed', async () => {
    const line = ['equal-0.7', '--trace', trace(), '--policy', 'least-request', '--json']
    const [one, again, other] = [
      await simulate(...line),
      await simulate(...line),
      await simulate(...line, '--seed', '2'),
    ]
    const results = JSON.parse(one.out) as Result[]
    expect(results).toMatchObject([{ scenario: 'equal-0.7', policy: 'least-request', seed: 1, errors: 0 }])
    expect(results[0]?.requests).toBeGreaterThan(10_000)
    expect(again.out).toBe(one.out)
    expect(other.out).not.toBe(one.out)
  })

  it('takes each line of a trace for one request', async () => {
    const line = ['equal-0.7', '--trace', trace(), '--per-request', '--policy', 'random', '--json']
    const [result] = JSON.parse((await simulate(...line)).out) as Result[]
    // Sixteen lines, of which the first quarter is warm-up.
    expect(result?.requests).toBe(12)
  })

  it('draws', async () => {
    const file = join(dir, 'picture.svg')
    const { exit } = await simulate('skew-0.5', '--trace', trace(), '--policy', 'random', '--svg', file)
    expect(exit).toBe(0)
    expect(readFileSync(file, 'utf8')).toMatch(/^<svg [\s\S]*random[\s\S]*<\/svg>\n$/)
  })

  it.each([
    [['nowhere'], 'no scenario is named "nowhere"'],
    [['equal-0.7', '--policy', 'best'], 'no policy is named "best"'],
    [['equal-0.7', '--seed', 'x'], '--seed x: not a number'],
    [['equal-0.7', '--trace', '/nowhere.csv'], '/nowhere.csv'],
  ])('refuses %j', async (line, message) => {
    const { exit, err } = await simulate(...line)
    expect(exit).not.toBe(0)
    expect(err).toContain(message)
  })

  it('refuses a trace that lasts for days, and says how fast it must pass', async () => {
    const file = join(dir, 'long.csv')
    writeFileSync(file, 'timestamp,value\n2026-01-01T00:00:00Z,1\n2026-01-03T00:00:00Z,1\n')
    const { exit, err } = await simulate('equal-0.7', '--trace', file)
    expect(exit).not.toBe(0)
    expect(err).toContain('48.0 h of it are more than 6')
    expect(err).toContain('--speed 8 or more')
  })

  it('refuses a picture that cannot be written', async () => {
    const { exit, err } = await simulate(
      'equal-0.7',
      '--trace',
      trace(),
      '--policy',
      'random',
      '--svg',
      join(dir, 'no/x.svg'),
    )
    expect(exit).not.toBe(0)
    expect(err).toContain('name a file in a directory that exists')
  })
})
