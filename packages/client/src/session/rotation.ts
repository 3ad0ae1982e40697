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
  /** Attempts in a row that were given up because nothing came in time. */
  readonly late: number
}

/** How a connection, or the attempt at one, ended. */
export type Ending =
  | { readonly kind: 'failed'; readonly late?: boolean }
  | { readonly kind: 'lost'; readonly upMs: Milliseconds }

const firstPauseMs = 50
/** Asking somebody who is not there costs him nothing, and an outage is over when its clients know. */
const longestPauseMs = 2000

/** One who lets us in and cannot keep us has too much to do already. */
const longestPauseOverloadedMs = 5000

/** A connection shorter than this counts as a failed attempt: one that accepts and drops must not be hammered. */
const steadyMs = 5000

/** Begins anywhere, so that many clients of the same list spread over it. */
export function startRotation(size: number, random: Random): Rotation {
  return { size, next: Math.floor(random() * size), failures: 0, late: 0 }
}

/** How long an attempt at a connection may take. */
export interface Patience {
  /** Until the address accepts. */
  readonly connectMs: Milliseconds
  /** Until the registry behind it answers. */
  readonly answerMs: Milliseconds
}

/** Patience doubles so often, */
const mostDoublings = 3
/** and begins so many times as long where there is nobody else to ask. */
const alone = 4

/**
 * A registry that thousands come back to at once serves them in the order in which they came: if they leave while they
 * wait, it works for those who have left, and gets to nobody. So whoever knows one registry only waits for its answer
 * for `attemptMs` times four; and each round of all registries in which nobody answered in time doubles the time that
 * the next may take, up to eight times `attemptMs`.
 */
export function patienceOf({ late, size }: Rotation, attemptMs: Milliseconds): Patience {
  const longer = 2 ** Math.min(mostDoublings, Math.floor(late / size))
  const answer = Math.min(2 ** mostDoublings, (size === 1 ? alone : 1) * longer)
  return { connectMs: attemptMs * longer, answerMs: attemptMs * answer }
}

/** Goes on to the next registry after a jittered pause: 50 ms, doubling with every round, up to 2 s (or 5 s). */
export function rotate(
  rotation: Rotation,
  ending: Ending,
  random: Random,
): { readonly rotation: Rotation; readonly pauseMs: Milliseconds } {
  const next = (rotation.next + 1) % rotation.size
  const steady = ending.kind === 'lost' && ending.upMs >= steadyMs
  if (steady)
    return { rotation: { ...rotation, next, failures: 0, late: 0 }, pauseMs: random() * firstPauseMs }
  const rounds = Math.floor(rotation.failures / rotation.size)
  const longest = ending.kind === 'lost' ? longestPauseOverloadedMs : longestPauseMs
  const pause = Math.min(longest, firstPauseMs * 2 ** Math.min(rounds, 16))
  // Who let us in and lost us has too much to do still.
  const late = ending.kind === 'lost' ? rotation.late : ending.late === true ? rotation.late + 1 : 0
  return {
    rotation: { ...rotation, next, failures: rotation.failures + 1, late },
    pauseMs: pause / 2 + (random() * pause) / 2,
  }
}
