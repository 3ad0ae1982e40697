import { describe, expect, it } from 'vitest'
import { listed, steady } from './arrivals.ts'
import { contestant } from './contestants.ts'
import { constant, exponential } from './distributions.ts'
import { type Scenario, simulate } from './simulation.ts'

const turns = contestant('round-robin')
const choice = contestant('least-request')

/** Mean wait of M/M/c (A. K. Erlang, 1917), in units of the mean service time. */
function erlangWait(workers: number, load: number): number {
  const offered = workers * load
  let blocking = 1
  for (let k = 1; k <= workers; k++) blocking = (offered * blocking) / (k + offered * blocking)
  const waits = blocking / (1 - load + load * blocking)
  return waits / (workers * (1 - load))
}

const one = (workers: number, load: number): Scenario => ({
  name: 'one',
  about: 'one server',
  servers: [{ id: 's', workers, service: exponential(10) }],
  arrivals: steady((load * workers * 1000) / 10),
  client: { networkMs: 0 },
  endMs: 2_020_000,
})

describe('a simulation', () => {
  it.each([
    [1, 0.5],
    [1, 0.8],
    [4, 0.7],
    [4, 0.85],
  ])('of one server with %i workers at load %f waits as long as queueing theory says', (workers, load) => {
    const { mean, servers, requests } = simulate(one(workers, load), turns, 3)
    const expected = 10 * (1 + erlangWait(workers, load))
    expect(requests).toBeGreaterThan(90_000)
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.05)
    expect(Math.abs((servers[0]?.utilisation ?? 0) / load - 1)).toBeLessThan(0.02)
  })

  it('gives the same result from the same seed, and another from another', () => {
    const scenario: Scenario = { ...one(4, 0.7), endMs: 30_000 }
    expect(simulate(scenario, choice, 5)).toEqual(simulate(scenario, choice, 5))
    expect(simulate(scenario, choice, 5)).not.toEqual(simulate(scenario, choice, 6))
  })

  it('counts time-outs as failures, retries elsewhere, and keeps what is not answered at the end', () => {
    const slow: Scenario = {
      name: 'slow',
      about: 'the first answers never in time',
      servers: [
        { id: 'a', workers: 1, service: constant(1000) },
        { id: 'b', workers: 8, service: constant(10) },
      ],
      arrivals: listed([0, 1, 2, 3, 4, 5, 5000, 5001]),
      client: { timeoutMs: 100, retries: 1, networkMs: 1 },
      warmUpMs: 0,
      endMs: 5005,
    }
    const { requests, errors, amplification, max } = simulate(slow, turns, 1)
    expect(requests).toBe(8)
    expect(errors).toBe(0)
    expect(amplification).toBeGreaterThan(1)
    // The time-out of the first attempt, then the second, with the ways.
    expect(max).toBe(112)
  })

  it('fails what is sent to the dead, unless there is another', () => {
    const servers = [
      { id: 'a', workers: 1, service: constant(10), diesAt: 500 },
      { id: 'b', workers: 1, service: constant(10) },
    ]
    const scenario: Scenario = {
      name: 'death',
      about: 'one of two dies',
      servers,
      arrivals: steady(20),
      warmUpMs: 0,
      endMs: 10_000,
    }
    expect(simulate(scenario, turns, 1).errors).toBeGreaterThan(0)
    expect(simulate({ ...scenario, client: { retries: 1 } }, turns, 1).errors).toBe(0)
  })
})
