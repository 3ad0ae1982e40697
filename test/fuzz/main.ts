/** `npm run fuzz -- [--minutes 10] [--seed 1] [--only requests,dns-messages]`: for as long as you like. */
import { parseArgs } from 'node:util'
import { type Fuzzed, fuzz, shown } from './fuzzer.ts'
import { fuzzers } from './fuzzers.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    only: { type: 'string', default: Object.keys(fuzzers).join() },
  },
})
const names = values.only.split(',')
/** Each fuzzer has so long in turn, so that a failure of any shows soon. */
const turnMs = Math.min(30_000, (Number(values.minutes) * 60_000) / names.length)
const end = performance.now() + Number(values.minutes) * 60_000
const seeds = new Map(names.map(name => [name, Number(values.seed ?? Math.floor(Math.random() * 1e9))]))
const totals = new Map<string, Fuzzed>()

/** Adds what came of a turn to what came before. */
function add(fuzzed: Fuzzed): void {
  const before = totals.get(fuzzed.name)
  const outcomes = new Map(before?.outcomes)
  for (const [outcome, times] of fuzzed.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + times)
  const { name, from, runs } = fuzzed
  totals.set(name, { name, from: before?.from ?? from, runs: (before?.runs ?? 0) + runs, outcomes })
}

try {
  while (performance.now() < end) {
    for (const name of names) {
      const left = end - performance.now()
      const entry = fuzzers[name]
      if (entry === undefined)
        throw new Error(`there is no fuzzer ${name}: ${Object.keys(fuzzers).join(', ')}`)
      if (left <= 0) break
      const fuzzer = await entry.open()
      const seed = seeds.get(name) ?? 1
      const fuzzed = await fuzz(fuzzer, seed, Math.min(turnMs, left))
      await fuzzer.close()
      seeds.set(name, seed + fuzzed.runs)
      add(fuzzed)
      process.stdout.write(`${name}: ${fuzzed.runs} from seed ${seed}\n`)
    }
  }
  for (const fuzzed of totals.values()) process.stdout.write(`${shown(fuzzed)}\n`)
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.stdout.write('replay: npm run fuzz -- --only NAME --seed SEED\n')
  process.exitCode = 1
}
process.exit()
