import { resolve } from 'node:path'
import type { Fault } from '@portolan/core'
import { type Contestant, contestant, contestantNames } from '../../simulate/contestants.ts'
import { type Chapter, reportSvg } from '../../simulate/report-svg.ts'
import { headingOf, reportRows } from '../../simulate/report-table.ts'
import { scenarioByName, scenarios } from '../../simulate/scenarios.ts'
import { type Scenario, simulate as simulateOne, usual } from '../../simulate/simulation.ts'
import { lasting, traced } from '../../simulate/traced.ts'
import {
  type Command,
  type ExitCode,
  type Invocation,
  type Io,
  listOption,
  numberOption,
  usage,
  wantsJson,
} from '../command.ts'
import { paint } from '../text/colour.ts'
import { table } from '../text/table.ts'
import { only } from './only-one.ts'
import { type PicturePlace, picturePlace } from './simulate-picture.ts'
import { replayOf } from './simulate-trace.ts'

/** As shells have it after Ctrl-C. */
const interrupted = 130

export const simulate: Command = {
  name: 'simulate',
  summary: 'try balancing policies on servers that exist in virtual time only',
  details:
    'Runs scenarios under policies, both by name, and says how long answers took and who got what. The same seed gives the ' +
    `same result on every machine. Scenarios: ${scenarios.map(({ name }) => name).join(', ')}. Policies: ` +
    `${contestantNames.join(', ')}; the oracle knows each server's true speed and load, and naive is a formula not to use ` +
    '(docs/balancing.md). With a trace, requests come as its values rise and fall, not as the scenario says. docs/balancing.md ' +
    'says what each column means, and what a trace looks like.',
  args: [{ name: 'SCENARIO', summary: 'which ones (default: all)', optional: true, variadic: true }],
  options: [
    { flags: '--policy <name>', summary: 'a policy (default: all)', repeated: true },
    { flags: '--seed <number>', summary: 'of the dice', fallback: '1' },
    { flags: '--svg <file>', summary: 'draws the results into this file', repeated: true },
    {
      flags: '--trace <file>',
      summary:
        'when requests come: a line `timestamp,value`, then a line each of an ISO 8601 time and a number, in order, 6 h at most',
      repeated: true,
    },
    { flags: '--per-request', summary: 'each line of the trace is one request, whatever its value' },
    {
      flags: '--speed <factor>',
      summary: 'how many times faster than recorded the trace passes, 0.001 to 1000000 (default: 1)',
    },
    {
      flags: '--peak <share>',
      summary:
        'where the highest value of the trace lies, of what all servers can serve, 0.01 to 10 (default: 0.85)',
    },
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
    const seed = seedOf(invocation)
    const contestants = once(listOption(invocation, 'policy'), contestantNames).map(contestant)
    const named = once(
      invocation.args,
      scenarios.map(({ name }) => name),
    ).map(scenarioByName)
    const picture = only(invocation, 'svg')
    const replay = await replayOf(invocation, io)
    const chosen = replay === undefined ? named : named.map(each => traced(each, replay))
    const place = picture === undefined ? undefined : await placeOf(picture, invocation, io)
    try {
      return await tellAll({ chosen, contestants, seed, place }, wantsJson(invocation), io)
    } finally {
      await place?.close()
    }
  },
}

interface Asked {
  readonly chosen: readonly Scenario[]
  readonly contestants: readonly Contestant[]
  readonly seed: number
  readonly place: PicturePlace | undefined
}

async function tellAll(
  { chosen, contestants, seed, place }: Asked,
  json: boolean,
  io: Io,
): Promise<ExitCode> {
  const chapters: Chapter[] = []
  for (const scenario of chosen) {
    const chapter = await chapterOf(scenario, contestants, seed, io)
    if (!json && chapter.results.length > 0) tell(chapter, io)
    if (io.signal.aborted) return interrupted
    chapters.push(chapter)
  }
  if (json) io.out(`${JSON.stringify(chapters.flatMap(({ results }) => results))}\n`)
  await place?.write(reportSvg(chapters))
  return 0
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
    const result = simulateOne(scenario, each, seed)
    if (result.requests === 0) throw noRequests(scenario)
    results.push(result)
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

/** Each name once, in the order in which they came; all when none did. */
function once(names: readonly string[], all: readonly string[]): readonly string[] {
  return names.length === 0 ? all : [...new Set(names)]
}

/** @throws Fault `invalid_request` */
function seedOf(invocation: Invocation): number {
  const seed = numberOption(invocation, 'seed', [0, 2 ** 31]) ?? 1
  if (Number.isInteger(seed)) return seed
  throw usage(
    `--seed ${seed}: not a whole number`,
    'the same one gives the same result, another one other dice',
  )
}

/** @throws Fault `invalid_request` */
async function placeOf(picture: string, invocation: Invocation, io: Io): Promise<PicturePlace> {
  const path = resolve(io.cwd, picture)
  const trace = only(invocation, 'trace')
  if (trace !== undefined && resolve(io.cwd, trace) === path)
    throw usage(
      `--svg ${picture}: that is the trace`,
      'name another file: the picture would be drawn over it',
    )
  return await picturePlace(path, picture)
}

function noRequests({ name, warmUpMs = usual.warmUpMs, endMs = usual.endMs }: Scenario): Fault {
  return usage(
    `${name}: no request comes after the warm-up, the first ${lasting(warmUpMs)} of ${lasting(endMs)}: there is nothing to tell`,
    'name a trace with more requests, or let it pass more slowly (--speed)',
  )
}
