import { Fault } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { contestant, contestantNames } from './contestants.ts'
import { reportSvg } from './report-svg.ts'
import { headingOf, reportRows } from './report-table.ts'
import { scenarioByName, scenarios } from './scenarios.ts'
import { simulate } from './simulation.ts'

const scenario = { ...scenarioByName('skew-0.7'), endMs: 22_000 }
const results = ['oracle', 'adaptive', 'round-robin'].map(name => simulate(scenario, contestant(name), 1))

describe('a report', () => {
  it('has a line a policy, with times beside the oracle’s', () => {
    const { head, rows } = reportRows(results)
    expect(rows.map(([name]) => name)).toEqual(['oracle', 'adaptive', 'round-robin'])
    expect(rows.every(row => row.length === head.length)).toBe(true)
    expect(rows[0]?.[head.indexOf('P99/ORACLE')]).toBe('1.00')
    expect(Number(rows[2]?.[head.indexOf('P99/ORACLE')])).toBeGreaterThan(2)
    expect(rows[2]?.[head.indexOf('ODD ONE GETS')]).toMatch(/^(9\.\d\d|10\.\d)%$/)
  })

  it('says nothing of an oracle that did not run', () => {
    const { head, rows } = reportRows(results.slice(1))
    expect(head).not.toContain('P99/ORACLE')
    expect(rows[0]).toHaveLength(head.length)
  })

  it('is drawn: a group a policy, times in their order, all within the picture', () => {
    const svg = reportSvg([{ scenario: { name: 'a<b', about: 'x & y' }, results }])
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 860 \d+"/)
    expect(svg).toContain('<title>How long answers took, by policy</title>')
    expect(svg).toContain('a&lt;b')
    expect(svg).toContain('x &amp; y')
    expect(svg.match(/<g class="policy">/g)).toHaveLength(2)
    expect(svg.match(/<g class="oracle">/g)).toHaveLength(1)
    const dots = [...svg.matchAll(/<circle class="(p50|p99|p999)" cx="([\d.]+)"/g)]
    // Three a policy, and the legend's.
    expect(dots).toHaveLength(12)
    for (const [, , x] of dots) {
      expect(Number(x)).toBeGreaterThanOrEqual(150)
      expect(Number(x)).toBeLessThanOrEqual(740)
    }
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('breaks a long line in two, so that it stays within the picture', () => {
    const drawn = (about: string) => {
      const svg = reportSvg([{ scenario: { name: 'a', about }, results }])
      return [...svg.matchAll(/<text class="about" x="14" y="(\d+)">(.*?)<\/text>/g)].map(([, y, text]) => [
        y,
        text,
      ])
    }
    expect(drawn('short; 70 %')).toEqual([['32', 'short; 70 %']])
    const [servers, load] = ['s'.repeat(60), 'l'.repeat(80)]
    expect(drawn(`${servers}; ${load}`)).toEqual([
      ['30', `${servers};`],
      ['44', load],
    ])
    expect(drawn(`${servers}; a; b; ${load}`)).toEqual([
      ['30', `${servers}; a; b;`],
      ['44', load],
    ])
  })

  it('has its heading', () => {
    expect(headingOf({ name: 'a', about: 'b' })).toBe('a: b')
  })
})

describe('names', () => {
  it('are those of scenarios and policies, each once', () => {
    const names = scenarios.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(scenarioByName(name).name).toBe(name)
    for (const name of contestantNames) expect(contestant(name).name).toBe(name)
    expect(new Set(contestantNames).size).toBe(contestantNames.length)
  })

  it.each([() => scenarioByName('skew'), () => contestant('lru')])(
    'that nobody has are refused: %s',
    call => {
      expect(call).toThrow(Fault)
      expect(call).toThrow(
        expect.objectContaining({ code: 'invalid_request', hint: expect.stringMatching(/^there are: /) }),
      )
    },
  )
})
