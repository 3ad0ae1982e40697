import { type Stretch, ThreeGateways } from './three-gateways.ts'

export const limit = { qps: 1000, burst: 200 }

/** Whoever is later than that himself has a machine with too much else to do: it is tried again. */
const tooLateMs = 150
const attempts = 4

const plan = [
  { name: '600 a second at each', rates: [600, 600, 600], saved: limit.burst, restMs: 0 },
  { name: 'then all at one', rates: [0, 0, 1800], saved: 0, restMs: 3000 },
  { name: 'all at another one, after a rest', rates: [1800, 0, 0], saved: limit.burst, restMs: 0 },
] as const

/**
 * More than the limit: through three gateways evenly, then all through one, then all through another one after a rest.
 * @throws when the machine had no time for it
 */
export async function limitOfThree(forMs = 10_000, say: (progress: string) => void = () => {}) {
  const three = new ThreeGateways(limit)
  try {
    await three.open()
    for (let attempt = 0; attempt < attempts; attempt++) {
      await three.rest(3000)
      const stretches = await run(three, forMs, say)
      if (stretches !== undefined) return { stretches, shares: await three.shares(), broken: three.broken }
    }
    throw new Error(`the machine is too busy: timers were more than ${tooLateMs} ms late`)
  } finally {
    await three.close()
  }
}

async function run(three: ThreeGateways, forMs: number, say: (progress: string) => void) {
  const stretches: Stretch[] = []
  for (const { name, rates, saved, restMs } of plan) {
    const stretch = await three.stretch(name, rates, forMs, saved)
    const { passed, off, latestMs } = stretch
    say(`${name}: ${passed} passed of ${Math.round(stretch.plan)} planned (${(100 * off).toFixed(2)} %)`)
    if (latestMs > tooLateMs) {
      say(`that does not count: ${Math.round(latestMs)} ms late; once more`)
      return undefined
    }
    stretches.push(stretch)
    if (restMs > 0) await three.rest(restMs)
  }
  return stretches
}
