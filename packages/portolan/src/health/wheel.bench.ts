import { Bench } from 'tinybench'
import { DueList, type Timed, Wheel } from './wheel.ts'

/** As many as a big server's checks, and each of them rings once a second. */
const size = 100_000
const intervalMs = 1000
const tickMs = 10

function filled(): { readonly wheel: Wheel; readonly bells: readonly Timed[] } {
  const wheel = new Wheel(tickMs, 0)
  const bells = Array.from({ length: size }, (_, index): Timed => {
    const ring = (now: number): void => wheel.plan(bell, now + intervalMs)
    const bell: Timed = { at: 0, previous: undefined, next: undefined, ring }
    wheel.plan(bell, (index * intervalMs) / size)
    return bell
  })
  return { wheel, bells }
}

const bench = new Bench({ time: 500 })
const { wheel } = filled()
const due = new DueList()
let now = 0
bench.add(`a tick: ${(size * tickMs) / intervalMs} of ${size} ring and are planned anew`, () => {
  now += tickMs
  wheel.collect(now, due)
  wheel.ring(due, now)
})
const other = filled()
let turn = 0
bench.add('planning another one anew', () => {
  other.wheel.plan(other.bells[turn++ % size] as Timed, intervalMs)
})
await bench.run()
for (const { name, result } of bench.tasks) {
  if (result.state !== 'completed') throw new Error(`${name} did not complete`)
  process.stdout.write(`${name}: ${(result.latency.mean * 1e3).toFixed(2)} µs\n`)
}
