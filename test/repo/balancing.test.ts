import { policyNames } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { contestant, contestantNames } from '../../packages/portolan/src/simulate/contestants.ts'
import { scenarioByName, scenarios } from '../../packages/portolan/src/simulate/scenarios.ts'
import { simulate } from '../../packages/portolan/src/simulate/simulation.ts'
import { readText } from './sources.ts'

const page = readText('docs/balancing.md')

/** The first words of each row of the table that follows `mark`. */
function rowsAfter(mark: string): readonly (readonly string[])[] {
  const lines = page.slice(page.indexOf(mark)).split('\n').slice(1)
  const end = lines.findIndex(line => !line.startsWith('|'))
  return lines
    .slice(0, end)
    .filter(line => !line.startsWith('| --- '))
    .map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll('`', '')),
    )
}

describe('docs/balancing.md', () => {
  it('says of every policy what it is for', () => {
    const [, ...rows] = rowsAfter('<!-- policies')
    expect(rows.map(([name]) => name).sort()).toEqual([...policyNames].sort())
  })

  it('has a table of every policy in every scenario', () => {
    const [head, ...rows] = rowsAfter('<!-- table')
    expect(head?.slice(1)).toEqual(contestantNames)
    expect(rows.map(([name]) => name)).toEqual(scenarios.map(({ name }) => name))
  })

  it('says there what the simulator says: one row of it, made again', () => {
    const row = rowsAfter('<!-- table').find(([name]) => name === 'skew-0.5')
    for (const name of ['oracle', 'adaptive', 'least-request']) {
      const said = Number(row?.[1 + contestantNames.indexOf(name)])
      expect(simulate(scenarioByName('skew-0.5'), contestant(name), 1).p99).toBeCloseTo(said, 1)
    }
  })
})
