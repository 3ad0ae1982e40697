// Writes the table of docs/balancing.md and its pictures anew: every policy in every scenario, seed 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contestant, contestantNames } from '../../packages/portolan/src/simulate/contestants.ts'
import { type Chapter, reportSvg } from '../../packages/portolan/src/simulate/report-svg.ts'
import { scenarios } from '../../packages/portolan/src/simulate/scenarios.ts'
import { type Result, simulate } from '../../packages/portolan/src/simulate/simulation.ts'
import { root } from '../programs.ts'

const page = join(root, 'docs/balancing.md')
const pictures = join(root, 'docs/pictures')
const begin = '<!-- table: made by `npm run balance:table` -->'
const end = '<!-- end of table -->'

/** A cell: the 99th percentile in ms, and what failed where something did. */
export function cell({ p99, errors }: Pick<Result, 'p99' | 'errors'>): string {
  const time =
    p99 >= 10_000 ? `${Math.round(p99 / 1000)} s` : p99 >= 100 ? `${Math.round(p99)}` : p99.toFixed(1)
  return errors > 0.0005 ? `${time} (${(errors * 100).toFixed(1)} % failed)` : time
}

const chapters: Chapter[] = scenarios.map(scenario => ({
  scenario,
  results: contestantNames.map(name => {
    process.stderr.write(`${scenario.name}: ${name}\n`)
    return simulate(scenario, contestant(name), 1)
  }),
}))

const table = [
  `| p99, ms | ${contestantNames.map(name => `\`${name}\``).join(' | ')} |`,
  `| --- |${contestantNames.map(() => ' --: |').join('')}`,
  ...chapters.map(({ scenario, results }) => `| \`${scenario.name}\` | ${results.map(cell).join(' | ')} |`),
  '',
  ...scenarios.map(({ name, about }) => `- \`${name}\`: ${about}`),
].join('\n')

const text = readFileSync(page, 'utf8')
const [from, to] = [text.indexOf(begin), text.indexOf(end)]
if (from < 0 || to < from) throw new Error(`${page} has no place for the table: ${begin} … ${end}`)
writeFileSync(page, `${text.slice(0, from)}${begin}\n${table}\n${text.slice(to)}`)

const named = (...names: readonly string[]): Chapter[] =>
  chapters.filter(({ scenario }) => names.includes(scenario.name))
mkdirSync(pictures, { recursive: true })
writeFileSync(join(pictures, 'skew.svg'), reportSvg(named('skew-0.7', 'brown-out', 'turns-away')))
const few = ['oracle', 'adaptive', 'forecast-weighted', 'least-request', 'naive', 'random']
const collapse = named('equal-0.7', 'equal-0.85', 'skew-0.85').map(({ scenario, results }) => ({
  scenario,
  results: few.flatMap(name => results.filter(({ policy }) => policy === name)),
}))
writeFileSync(join(pictures, 'collapse.svg'), reportSvg(collapse))
