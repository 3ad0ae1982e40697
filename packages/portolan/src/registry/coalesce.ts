import type { Milliseconds } from '@portolan/core'

/** How pushes of one service are spaced: the pause after a push, and when the last one was. */
export interface Pace {
  readonly pushedAt: Milliseconds
  readonly pauseMs: Milliseconds
}

const shortestPauseMs = 20
const longestPauseMs = 50

/** As if nothing had ever been pushed. */
export const rested: Pace = { pushedAt: Number.NEGATIVE_INFINITY, pauseMs: shortestPauseMs }

/**
 * When a change that arrives now is pushed: at once after quiet, else together with what else arrives until the
 * pause after the last push is over. An instance that left or got a cause never waits.
 */
export function dueAt(pace: Pace, now: Milliseconds, urgent: boolean): Milliseconds {
  return urgent ? now : Math.max(now, pace.pushedAt + pace.pauseMs)
}

/** The pace after a push. Pauses grow from 20 to 50 ms while one push chases the other, and shrink after quiet. */
export function afterPush(pace: Pace, now: Milliseconds): Pace {
  const isChasing = now - pace.pushedAt <= 2 * pace.pauseMs
  return {
    pushedAt: now,
    pauseMs: isChasing ? Math.min(pace.pauseMs * 1.5, longestPauseMs) : shortestPauseMs,
  }
}
