import type { Milliseconds, Random } from '@portolan/core'

/**
 * Where to connect next and how long to wait before it: the state of a client that knows several registries.
 * Failures go round all of them before the pause grows, so that one dead registry costs one attempt.
 */
export interface Rotation {
  /** How many registries there are, ≥ 1. */
  readonly size: number
  /** Which of them is next. */
  readonly next: number
  /** Attempts in a row that came to nothing. */
  readonly failures: number
}

/** How a connection, or the attempt at one, ended. */
export type Ending = { readonly kind: 'failed' } | { readonly kind: 'lost'; readonly upMs: Milliseconds }

const firstPauseMs = 50
/** Asking somebody who is not there costs him nothing, and an outage is over when its clients know. */
const longestPauseMs = 2000

/** One who lets us in and cannot keep us has too much to do already. */
const longestPauseOverloadedMs = 5000

/** A connection shorter than this counts as a failed attempt: one that accepts and drops must not be hammered. */
const steadyMs = 5000

/** Begins anywhere, so that many clients of the same list spread over it. */
export function startRotation(size: number, random: Random): Rotation {
  return { size, next: Math.floor(random() * size), failures: 0 }
}

/** Goes on to the next registry after a jittered pause: 50 ms, doubling with every round, up to 2 s (or 5 s). */
export function rotate(
  rotation: Rotation,
  ending: Ending,
  random: Random,
): { readonly rotation: Rotation; readonly pauseMs: Milliseconds } {
  const next = (rotation.next + 1) % rotation.size
  const steady = ending.kind === 'lost' && ending.upMs >= steadyMs
  if (steady) return { rotation: { ...rotation, next, failures: 0 }, pauseMs: random() * firstPauseMs }
  const rounds = Math.floor(rotation.failures / rotation.size)
  const longest = ending.kind === 'lost' ? longestPauseOverloadedMs : longestPauseMs
  const pause = Math.min(longest, firstPauseMs * 2 ** Math.min(rounds, 16))
  return {
    rotation: { ...rotation, next, failures: rotation.failures + 1 },
    pauseMs: pause / 2 + (random() * pause) / 2,
  }
}
