/** Milliseconds on a clock that never goes back, from an origin that only the clock knows. */
export type Milliseconds = number

/** The monotonic clock as a parameter, so that everything that waits can be tested in virtual time. */
export interface Clock {
  now(): Milliseconds
}

/** Uniform in [0, 1): the dice as a parameter, so that the same seed gives the same picks. */
export type Random = () => number

/** What mulberry32 adds to its 32 bits of state before each number. */
export const mulberryStep = 0x6d2b79f5

/** The number of 32 bits, with its sign, that mulberry32 makes of its state. */
export function mulberry32(state: number): number {
  let word = Math.imul(state ^ (state >>> 15), state | 1)
  word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
  return word ^ (word >>> 14)
}

/** A seeded generator (mulberry32, 32 bits of state): for tests and simulations, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + mulberryStep) | 0
    return (mulberry32(state) >>> 0) / 4_294_967_296
  }
}
