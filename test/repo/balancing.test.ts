import { policyNames } from '@portolan/core'
import { describe, expect, it } from 'vitest'
import { contestant, contestantNames } from '../../packages/portolan/src/simulate/contestants.ts'
import { columns } from '../../packages/portolan/src/simulate/report-table.ts'
import { scenarioByName, scenarios } from '../../packages/portolan/src/simulate/scenarios.ts'
import { simulate, usual } from '../../packages/portolan/src/simulate/simulation.ts'
import { readTrace } from '../../packages/portolan/src/simulate/trace.ts'
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

/** Where JSON of a value has its values: `spread.deviation`, `servers[].id`. */
function fieldsOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return fieldsOf(value[0], `${path}[]`)
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, held]) => fieldsOf(held, path === '' ? key : `${path}.${key}`))
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

  it('explains every column of the simulator’s table and every field of its JSON, and nothing else', () => {
    const [, ...rows] = rowsAfter('<!-- columns')
    const told = rows.map(([column = '', field = '']) => [column, field])
    expect(told.filter(([column]) => column !== '')).toEqual(
      columns.map(({ head, field }) => [head, field ?? '']),
    )
    const scenario = { ...scenarioByName('skew-0.5'), warmUpMs: 100, endMs: 500 }
    const result = JSON.parse(JSON.stringify(simulate(scenario, contestant('random'), 1)))
    expect(told.flatMap(([, field = '']) => (field === '' ? [] : [field])).sort()).toEqual(
      [...fieldsOf(result)].sort(),
    )
    for (const row of rows) expect(row.every((cell, index) => index < 2 || cell !== '')).toBe(true)
  })

  it('says what counts as good, and from when on', () => {
    const meaning = rowsAfter('<!-- columns')
      .find(([column]) => column === 'GOOD')
      ?.at(-1)
    expect(meaning).toContain(`within ${usual.goodMs} ms`)
    expect(scenarios.filter(({ goodMs = usual.goodMs }) => goodMs !== usual.goodMs)).toEqual([])
    expect(page).toContain(`the first ${usual.warmUpMs / 1000} s`)
    expect(page).toContain(`${usual.endMs / 1000} s, unless a trace says otherwise`)
  })

  it('shows a trace of four lines that can be read', () => {
    const example = /```csv\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    expect(example.trimEnd().split('\n')).toHaveLength(4)
    expect(readTrace(example, 'example').map(({ at }) => at)).toEqual([0, 60_000, 120_000])
  })
})
