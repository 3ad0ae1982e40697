import { describe, expect, it } from 'vitest'
import { contestant } from './contestants.ts'
import { capacityOfAll, scenarioByName, scenarios } from './scenarios.ts'
import { simulate } from './simulation.ts'
import { readTrace } from './trace.ts'
import { type Replay, traced } from './traced.ts'

const day = '2026-01-31T12:0'
const samples = readTrace(
  `timestamp,value\n${day}0:00Z,10\n${day}1:00Z,40\n${day}2:00Z,20\n${day}3:00Z,99`,
  'x.csv',
)
const replay: Replay = { samples, name: 'x.csv', speed: 1, peak: 0.85 }
const title = (name: string, given: Partial<Replay> = {}): string =>
  traced(scenarioByName(name), { ...replay, ...given }).about

describe('a scenario by a trace', () => {
  it('tells of the servers that it has and of the load that comes', () => {
    expect(title('equal-0.5')).toBe(
      'ten equal servers; requests as in x.csv for 3 min, up to 85 % of what all 10 can serve',
    )
    expect(title('bursts', { peak: 0.5, speed: 4 })).toBe(
      'one of ten is 4 times as slow; requests as in x.csv for 45 s, up to 50 % of what all 10 can serve',
    )
    expect(title('scale-out', { peak: undefined })).toBe(
      'three servers, and 17 that start one after the other from 30 s to 54 s; requests as in x.csv for 3 min, one a line',
    )
  })

  it('says nothing of the load that the scenario has by itself', () => {
    for (const { name, about } of scenarios) {
      const told = title(name, { peak: undefined })
      expect(told, name).not.toMatch(/%|load/)
      expect(about, name).toMatch(/%|load/)
    }
  })

  it('says when it ends before anything happens', () => {
    expect(title('brown-out')).toMatch(/^one of ten is 8 times as slow from 40 s to 70 s; [^;]*$/)
    expect(title('brown-out', { speed: 5 })).toMatch(/ for 36 s, .*; it ends before that$/)
    expect(title('equal-0.5', { speed: 5 })).not.toContain('ends')
  })

  it.each([
    [1, ' for 3 min,'],
    [180, ' for 1 s,'],
    [0.01, ' for 5 h,'],
    [0.7, ' for 4.29 min,'],
    [1000, ' for 0.18 s,'],
  ])('says for how long: at speed %d%s', (speed, words) => {
    expect(title('equal-0.5', { speed })).toContain(words)
  })

  it('has that load: its highest minute is as busy as the title says', () => {
    const scenario = traced(scenarioByName('equal-0.5'), { ...replay, speed: 10 })
    const { requests, servers } = simulate(
      { ...scenario, warmUpMs: 6000, endMs: 12_000 },
      contestant('least-request'),
      1,
    )
    const expected = 0.85 * capacityOfAll(scenario.servers) * 6
    expect(Math.abs(requests / expected - 1)).toBeLessThan(0.05)
    const busy = servers.reduce((sum, { utilisation }) => sum + utilisation, 0) / servers.length
    expect(Math.abs(busy - 0.85)).toBeLessThan(0.05)
  })

  it('warms up for a quarter of it, and 20 s at most', () => {
    expect(traced(scenarioByName('skew-0.5'), { ...replay, speed: 10 })).toMatchObject({
      warmUpMs: 4500,
      endMs: 18_000,
    })
    expect(traced(scenarioByName('skew-0.5'), replay)).toMatchObject({ warmUpMs: 20_000, endMs: 180_000 })
  })
})
