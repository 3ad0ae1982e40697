import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../simulate/simulation.ts'
import { commands } from '../commands.ts'
import { runCommandLine } from '../program.ts'
import { openTerminal, portolan } from '../testing/terminal.ts'

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
      /^equal-0\.7: ten equal servers; requests as in requests\.csv for 15 s, up to 85 % of what all 10 can serve\nPOLICY +P50 +P90/,
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

  it('runs what is named twice once', async () => {
    const line = ['equal-0.7', 'equal-0.7', '--trace', trace(), '--policy', 'random', '--policy', 'random']
    const { exit, out } = await simulate(...line, '--json')
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toMatchObject([{ scenario: 'equal-0.7', policy: 'random' }])
  })

  it.each([
    [['nowhere'], 'no scenario is named "nowhere"'],
    [['equal-0.7', '--policy', 'best'], 'no policy is named "best"'],
    [['equal-0.7', '--seed', 'x'], '--seed x: not a number'],
    [['equal-0.7', '--seed', '1.5'], '--seed 1.5: not a whole number'],
    [['equal-0.7', '--speed', '0'], '--speed works with --trace only'],
    [['equal-0.7', '--speed', '1'], '--speed works with --trace only'],
    [['equal-0.7', '--peak', 'NaN'], '--peak works with --trace only'],
    [['equal-0.7', '--per-request'], '--per-request works with --trace only'],
    [['equal-0.7', '--trace', 'TRACE', '--speed', '0'], '--speed 0: not a number'],
    [['equal-0.7', '--trace', 'TRACE', '--peak', 'NaN'], '--peak NaN: not a number'],
    [
      ['equal-0.7', '--trace', 'TRACE', '--per-request', '--peak', '0.5'],
      '--peak and --per-request exclude each other',
    ],
    [['equal-0.7', '--trace', 'TRACE', '--trace', 'TRACE'], '--trace is given twice'],
    [['equal-0.7', '--svg', 'a.svg', '--svg', 'b.svg'], '--svg is given twice'],
  ])('refuses %j', async (line, message) => {
    const { exit, out, err } = await simulate(...line.map(word => (word === 'TRACE' ? trace() : word)))
    expect({ exit, out }).toEqual({ exit: 2, out: '' })
    expect(err).toContain(message)
  })
})

describe('simulate --trace', () => {
  const refused = async (file: string, ...more: readonly string[]): Promise<string> => {
    const { exit, out, err } = await portolan(
      ['simulate', 'equal-0.7', '--policy', 'random', '--trace', file, ...more],
      { cwd: dir },
    )
    expect({ exit, out }).toEqual({ exit: 2, out: '' })
    expect(err).not.toMatch(/portolan\.yaml|portolan up/)
    return err
  }
  const written = (text: string | Uint8Array): string => {
    mkdirSync(join(dir, 'sub'), { recursive: true })
    writeFileSync(join(dir, 'sub/x.csv'), text)
    return 'sub/x.csv'
  }

  it('says of a file that cannot be read what is wrong with that file', async () => {
    expect(await refused('/nowhere.csv')).toContain('--trace /nowhere.csv: there is no such file')
    expect(await refused('.')).toContain('--trace .: it is a directory')
    expect(await refused(written(new Uint8Array([0xff, 0xfe, 0x41])))).toContain(
      '--trace sub/x.csv: it is not UTF-8 text',
    )
    // Endless: it must not be read to its end.
    expect(await refused('/dev/zero')).toContain('--trace /dev/zero: it is larger than 64 MB')
  })

  it('names the file as it was given, and the line', async () => {
    expect(await refused(written('timestamp,value\n0,1\n'))).toContain('sub/x.csv:2: "0" is no ISO 8601 time')
  })

  it('refuses one that lasts for days, and says how fast it must pass', async () => {
    const err = await refused(written('timestamp,value\n2026-01-01T00:00:00Z,1\n2026-01-03T00:00:00Z,1\n'))
    expect(err).toContain('48.0 h of it are more than 6')
    expect(err).toContain('--speed 8 or more')
  })

  it('refuses one without requests', async () => {
    const none = '--trace sub/x.csv: no value before its last line is above 0, so that no request comes'
    const zeros = written('timestamp,value\n2026-01-01T00:00:00Z,0\n2026-01-01T00:01:00Z,0\n')
    expect(await refused(zeros)).toContain(none)
    const late = written('timestamp,value\n2026-01-01T00:00:00Z,0\n2026-01-01T00:01:00Z,5\n')
    expect(await refused(late)).toContain(none)
    const early = written('timestamp,value\n2026-01-01T00:00Z,5\n2026-01-01T00:01Z,0\n2026-01-01T00:10Z,0\n')
    expect(await refused(early, '--speed', '10')).toContain(
      'no request comes after the warm-up, the first 15 s of 60 s',
    )
  })

  it('takes zeros for requests where each line is one', async () => {
    const file = written('timestamp,value\n2026-01-01T00:00:00Z,0\n2026-01-01T00:01:00Z,0\n')
    const line = ['simulate', 'equal-0.7', '--policy', 'random', '--trace', file, '--per-request']
    expect(await portolan(line, { cwd: dir })).toMatchObject({ exit: 0, err: '' })
  })
})

describe('simulate --svg', () => {
  const draw = (file: string, ...more: readonly string[]) =>
    simulate('skew-0.5', '--policy', 'random', '--trace', trace(), '--svg', file, ...more)

  it('draws', async () => {
    const file = join(dir, 'picture.svg')
    expect((await draw(file)).exit).toBe(0)
    expect(readFileSync(file, 'utf8')).toMatch(/^<svg [\s\S]*random[\s\S]*<\/svg>\n$/)
  })

  it('draws over what was there, whole', async () => {
    const file = join(dir, 'picture.svg')
    writeFileSync(file, 'x'.repeat(100_000))
    expect((await draw(file)).exit).toBe(0)
    expect(readFileSync(file, 'utf8')).toMatch(/^<svg [^x]*x[\s\S]*<\/svg>\n$/)
  })

  it('finds out first whether it can be written', async () => {
    const { exit, out, err } = await draw(join(dir, 'no/x.svg'))
    expect({ exit, out }).toEqual({ exit: 2, out: '' })
    expect(err).toContain('no/x.svg: there is no such directory')
    expect(err).toContain('name a file in a directory that exists')
    expect(await draw(dir)).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringContaining('it is a directory'),
    })
    expect((await draw(join(trace(), 'x.svg'))).err).toContain('is no directory')
    const given = ['simulate', 'skew-0.5', '--policy', 'random', '--svg', 'no/x.svg']
    expect((await portolan(given, { cwd: dir })).err).toContain('--svg no/x.svg: ')
  })

  it('is not drawn over the trace', async () => {
    const file = trace()
    const before = readFileSync(file, 'utf8')
    const { exit, err } = await draw(file)
    expect(exit).toBe(2)
    expect(err).toContain('that is the trace')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('leaves nothing behind, and nothing spoilt, when the simulation does not come to its end', async () => {
    writeFileSync(join(dir, 'old.svg'), 'old')
    for (const file of ['new.svg', 'old.svg']) {
      const terminal = openTerminal({ cwd: dir })
      const line = ['simulate', 'skew-0.5', '--trace', trace(), '--svg', file, '--json']
      const exit = runCommandLine(commands, '1.2.3', line, {
        ...terminal.io,
        live: true,
        // The first words of progress: it is under way.
        err: () => terminal.interrupt(),
      })
      expect(await exit).toBe(130)
      expect(terminal.out()).toBe('')
    }
    const early = 'timestamp,value\n2026-01-01T00:00Z,5\n2026-01-01T00:01Z,0\n2026-01-01T00:10Z,0\n'
    writeFileSync(join(dir, 'early.csv'), early)
    const failing = ['--policy', 'random', '--trace', 'early.csv', '--speed', '10', '--svg', 'new.svg']
    expect((await portolan(['simulate', 'skew-0.5', ...failing], { cwd: dir })).exit).toBe(2)
    expect(existsSync(join(dir, 'new.svg'))).toBe(false)
    expect(readFileSync(join(dir, 'old.svg'), 'utf8')).toBe('old')
    expect(readdirSync(dir).sort()).toEqual(['early.csv', 'old.svg', 'requests.csv'])
  })
})
