import type { Milliseconds } from '@portolan/core'
import { listed } from './arrivals.ts'
import { capacityOfAll, type NamedScenario } from './scenarios.ts'
import { type Scenario, usual } from './simulation.ts'
import { following, lengthOf, type Sample } from './trace.ts'

/** How a trace is played. */
export interface Replay {
  readonly samples: readonly Sample[]
  /** What titles call it. */
  readonly name: string
  /** How many times faster than it was recorded. */
  readonly speed: number
  /** Where its highest value lies, of what all servers can serve; undefined = each row is one request. */
  readonly peak: number | undefined
}

/** The servers of a scenario, and what happens to them, under the requests of a trace. */
export function traced(scenario: NamedScenario, replay: Replay): Scenario {
  const { samples, speed, peak } = replay
  const endMs = lengthOf(samples) / speed
  return {
    ...scenario,
    about: aboutOf(scenario, replay, endMs),
    arrivals:
      peak === undefined
        ? listed(samples.map(({ at }) => at / speed))
        : following(samples, speed, peak * capacityOfAll(scenario.servers)),
    warmUpMs: Math.min(scenario.warmUpMs ?? usual.warmUpMs, endMs / 4),
    endMs,
  }
}

function aboutOf(scenario: NamedScenario, { name, peak }: Replay, endMs: Milliseconds): string {
  const { setting, servers, happensAt = 0 } = scenario
  const load =
    peak === undefined ? 'one a line' : `up to ${short(100 * peak)} % of what all ${servers.length} can serve`
  const end = endMs <= happensAt ? '; it ends before that' : ''
  return `${setting}; requests as in ${name} for ${lasting(endMs)}, ${load}${end}`
}

/** `15 s`, `67 min`, `5.5 h`. */
export function lasting(ms: Milliseconds): string {
  if (ms < 120_000) return `${short(ms / 1000)} s`
  return ms < 2 * 3_600_000 ? `${short(ms / 60_000)} min` : `${short(ms / 3_600_000)} h`
}

function short(value: number): number {
  return Number(value.toPrecision(3))
}
