import { describe, expect, it } from 'vitest'
import { readText } from '../repo/sources.ts'
import { disagreements, known } from './disagreements.ts'
import { dnsDisagreements } from './dns-disagreements.ts'
import { type Fuzzer, fuzz, shown } from './fuzzer.ts'
import { fuzzers } from './fuzzers.ts'
import { readBoth } from './requests.ts'

/** However slow the machine: all of them together end within a minute or so. */
const longestMs = 15_000

describe('fuzzers', () => {
  it.each(Object.entries(fuzzers))('%s', { timeout: 120_000 }, async (_, { open, usual }) => {
    const fuzzer = await open()
    try {
      const fuzzed = await fuzz(fuzzer, 1, longestMs, usual)
      console.info(shown(fuzzed))
      expect(fuzzed.runs).toBeGreaterThan(100)
      expect(fuzzed.outcomes.size).toBeGreaterThan(3)
    } finally {
      await fuzzer.close()
    }
  })

  const scripted = (run: Fuzzer['run']): Fuzzer => ({
    name: 'scripted',
    input: seed => `input ${seed}`,
    run,
    close: async () => {},
  })

  it('say at which seed they failed, and with what', async () => {
    const failing = scripted(seed => {
      if (seed === 7) throw new Error('no')
      return 'fine'
    })
    await expect(fuzz(failing, 5, 1000)).rejects.toThrow('scripted, seed 7: no\ninput: "input 7"')
    await expect(
      fuzz(
        scripted(() => known('answers', 'never heard of')),
        1,
        1000,
      ),
    ).rejects.toThrow('unknown disagreement')
  })

  it('try the same input for the same seed', () => {
    expect(fuzzers.splits?.usual).toBeGreaterThan(0)
    return Promise.all(
      Object.values(fuzzers).map(async ({ open }) => {
        const fuzzer = await open()
        expect(fuzzer.input(42)).toEqual(fuzzer.input(42))
        expect(fuzzer.input(42)).not.toEqual(fuzzer.input(44))
        await fuzzer.close()
      }),
    )
  })
})

describe('the fuzzer of requests', () => {
  it('knows the method PRI apart from versions that Node refuses', async () => {
    const host = 'Host: shop.example\r\n\r\n'
    expect(await readBoth(`PRI / HTTP/1.1\r\n${host}`)).toMatch(/Node refuses: the method PRI$/)
    expect(await readBoth(`PRI */1.1\r\n${host}`)).toMatch(/Node waits: the method PRI$/)
    expect(await readBoth(`GET / HTTP/1.2\r\n${host}`)).toMatch(/Node refuses: HPE_INVALID_VERSION$/)
  })
})

it('knows that Node is silent about what it refuses behind an Upgrade', async () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n0;\r\n\r\n'
  expect(await readBoth(`POST / HTTP/1.1\r\nHost: a\r\n${upgrade}`)).toMatch(/behind an Upgrade$/)
})

describe('docs/http.md', () => {
  it('lists every known disagreement with Node, and no other', () => {
    const page = readText('docs/http.md')
    const rows = [...page.matchAll(/^\| (requests|answers) \| ([^|]+) \| ([^|]+) \|$/gm)].map(match =>
      match.slice(1, 4).map(cell => cell.trim()),
    )
    expect(rows).toEqual(disagreements.map(({ about, what, why }) => [about, what, why]))
  })
})

describe('docs/dns.md', () => {
  it('lists every known disagreement with dns-packet, and no other', () => {
    const [, section = ''] = readText('docs/dns.md').split(
      '## Where we read messages differently from dns-packet\n',
    )
    const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (we [^|]+) \| ([^|]+) \|$/gm)].map(
      match => match.slice(1, 3).map(cell => cell.trim()),
    )
    expect(rows).toEqual(dnsDisagreements.map(({ what, why }) => [what, why]))
  })
})
