import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { Fault, toFault } from '@portolan/core'
import { readText } from '../../config/load.ts'
import { listed } from '../../simulate/arrivals.ts'
import { type Contestant, contestant, contestantNames } from '../../simulate/contestants.ts'
import { type Chapter, reportSvg } from '../../simulate/report-svg.ts'
import { headingOf, reportRows } from '../../simulate/report-table.ts'
import { capacityOfAll, scenarioByName, scenarios } from '../../simulate/scenarios.ts'
import { type Scenario, simulate as simulateOne } from '../../simulate/simulation.ts'
import { following, lengthOf, readTrace } from '../../simulate/trace.ts'
import {
  type Command,
  flagOption,
  type Invocation,
  type Io,
  listOption,
  numberOption,
  textOption,
  wantsJson,
} from '../command.ts'
import { paint } from '../text/colour.ts'
import { table } from '../text/table.ts'

const longestMs = 6 * 3_600_000
/** Of what all servers can serve: where a trace's highest value lies. */
const usualPeak = 0.85

export const simulate: Command = {
  name: 'simulate',
  summary: 'try balancing policies on servers that exist in virtual time only',
  details:
    'Runs scenarios under policies, both by name, and says how long answers took and who got what. The same seed gives the ' +
    `same result on every machine. Scenarios: ${scenarios.map(({ name }) => name).join(', ')}. Policies: ` +
    `${contestantNames.join(', ')}; the oracle knows each server's true speed and load, and naive is a formula not to use ` +
    '(docs/balancing.md). With a trace, requests come as its values rise and fall, the highest at 85 % of what all can serve.',
  args: [{ name: 'SCENARIO', summary: 'which ones (default: all)', optional: true, variadic: true }],
  options: [
    { flags: '--policy <name>', summary: 'a policy (default: all)', repeated: true },
    { flags: '--seed <number>', summary: 'of the dice', fallback: '1' },
    { flags: '--svg <file>', summary: 'draws the results into this file' },
    { flags: '--trace <file>', summary: 'a file of `timestamp,value` lines: when requests come' },
    { flags: '--per-request', summary: 'each line of it is one request, whatever its value' },
    { flags: '--speed <factor>', summary: 'how many times faster than it was recorded', fallback: '1' },
    { flags: '--peak <share>', summary: 'where its highest value lies, of what all servers can serve' },
  ],
  examples: [
    ['portolan simulate skew-0.7', 'one slow instance of ten, under every policy'],
    [
      'portolan simulate bursts --policy adaptive --policy least-request --svg bursts.svg',
      'two policies, and a picture',
    ],
    [
      'portolan simulate equal-0.7 --trace requests.csv --speed 600 --json',
      'by recorded traffic, for programs',
    ],
  ],
  async run(invocation, io) {
    const chosen = invocation.args.length === 0 ? scenarios : invocation.args.map(scenarioByName)
    const names = listOption(invocation, 'policy')
    const contestants = (names.length === 0 ? contestantNames : names).map(contestant)
    const seed = numberOption(invocation, 'seed', [0, 2 ** 31]) ?? 1
    const traced = await traceOf(invocation, io)
    const chapters: Chapter[] = []
    for (const scenario of chosen.map(traced)) {
      if (io.signal.aborted) return 1
      chapters.push(await chapterOf(scenario, contestants, seed, io))
      if (!wantsJson(invocation)) tell(chapters.at(-1) as Chapter, io)
    }
    if (wantsJson(invocation)) io.out(`${JSON.stringify(chapters.flatMap(({ results }) => results))}\n`)
    const picture = textOption(invocation, 'svg')
    if (picture !== undefined) await draw(resolve(io.cwd, picture), chapters)
    return 0
  },
}

async function chapterOf(
  scenario: Scenario,
  contestants: readonly Contestant[],
  seed: number,
  io: Io,
): Promise<Chapter> {
  const results: Chapter['results'][number][] = []
  for (const each of contestants) {
    if (io.signal.aborted) break
    if (io.live) io.err(`\r\u001b[K${scenario.name}: ${each.name}`)
    results.push(simulateOne(scenario, each, seed))
    // So that Ctrl-C is heard between two of them.
    await new Promise(done => setImmediate(done))
  }
  if (io.live) io.err('\r\u001b[K')
  return { scenario, results }
}

function tell({ scenario, results }: Chapter, io: Io): void {
  const { head, rows } = reportRows(results)
  io.out(`${paint(io.colours, 'bold', headingOf(scenario))}\n${table(head, rows)}\n`)
}

async function traceOf(invocation: Invocation, io: Io): Promise<(scenario: Scenario) => Scenario> {
  const file = textOption(invocation, 'trace')
  if (file === undefined) return scenario => scenario
  const samples = readTrace(await readText(resolve(io.cwd, file)), basename(file))
  const speed = numberOption(invocation, 'speed', [0.001, 1_000_000]) ?? 1
  const isPerRequest = flagOption(invocation, 'perRequest')
  const peak = numberOption(invocation, 'peak', [0.01, 10]) ?? usualPeak
  const endMs = lengthOf(samples) / speed
  if (endMs > longestMs) {
    const hours = (endMs / 3_600_000).toFixed(1)
    throw new Fault('invalid_request', `--trace ${file}: ${hours} h of it are more than 6`, {
      source: 'caller',
      hint: `let it pass faster: --speed ${Math.ceil((speed * endMs) / longestMs)} or more`,
    })
  }
  return scenario => ({
    ...scenario,
    about: `${scenario.about}; requests as in ${basename(file)}`,
    arrivals: isPerRequest
      ? listed(samples.map(({ at }) => at / speed))
      : following(samples, speed, peak * capacityOfAll(scenario.servers)),
    warmUpMs: Math.min(scenario.warmUpMs ?? 20_000, endMs / 4),
    endMs,
  })
}

async function draw(path: string, chapters: readonly Chapter[]): Promise<void> {
  try {
    await writeFile(path, reportSvg(chapters))
  } catch (thrown) {
    throw new Fault('invalid_request', `--svg ${path}: ${toFault(thrown).message}`, {
      source: 'caller',
      hint: 'name a file in a directory that exists and may be written',
    })
  }
}
