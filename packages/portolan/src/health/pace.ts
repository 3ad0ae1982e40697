import {
  type Check,
  checkDefaults,
  type HealthRules,
  type InstanceName,
  type Milliseconds,
  type Random,
} from '@portolan/core'

/**
 * How fast a check's failures are noticed. Whoever allows an answer more than the default time-out says that slow
 * answers are no failure: then suspicion waits in proportion, and a re-check may take as long as the check itself.
 * Whoever is known to need `needMs` for an answer is given twice that, and never more than the check allows.
 * A program is asked for a second opinion, not for four at a time; nobody can ask a `ttl` again.
 */
export function rulesFor(check: Check, rules: HealthRules, needMs: Milliseconds = 0): HealthRules {
  if (check.type === 'ttl') return { ...rules, rechecks: 0 }
  if (check.type === 'script') {
    return {
      ...rules,
      rechecks: Math.min(1, rules.rechecks),
      suspectAfterMs: Number.POSITIVE_INFINITY,
      recheckTimeoutMs: check.timeoutMs,
    }
  }
  const own = inProportion(check.timeoutMs, rules)
  const enough = Math.min(check.timeoutMs, 2 * needMs)
  if (enough <= own.suspectAfterMs && enough <= own.recheckTimeoutMs) return own
  return {
    ...own,
    suspectAfterMs: Math.max(own.suspectAfterMs, enough),
    recheckTimeoutMs: Math.max(own.recheckTimeoutMs, enough),
  }
}

function inProportion(timeoutMs: Milliseconds, rules: HealthRules): HealthRules {
  const usual = checkDefaults.timeoutMs
  if (timeoutMs <= usual) {
    return timeoutMs >= rules.recheckTimeoutMs ? rules : { ...rules, recheckTimeoutMs: timeoutMs }
  }
  return {
    ...rules,
    suspectAfterMs: Math.round((rules.suspectAfterMs / usual) * timeoutMs),
    recheckTimeoutMs: timeoutMs,
  }
}

export const phases = 2 ** 16

/**
 * Where in its interval a check has its turn, of 2^16: by a hash (FNV-1a, 32 bits) of instance and check, so that
 * thousands that come at the same moment are spread evenly, and each as before after a restart.
 */
export function phaseOf({ namespace, service, id }: InstanceName, check: string): number {
  let hash = 0x811c9dc5
  for (const part of [namespace, service, id, check]) {
    for (let index = 0; index < part.length; index++) {
      hash = Math.imul(hash ^ part.charCodeAt(index), 0x01000193)
    }
    hash = Math.imul(hash ^ 0x2f, 0x01000193)
  }
  // The low bits of FNV are its better ones; the last character of an id must reach all of them.
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return ((hash ^ (hash >>> 12)) >>> 0) % phases
}

/** Turns are moved by up to so much of the interval, each time anew: no two checks stay in step by chance. */
const jitter = 0.05

/**
 * Turns fall on whole steps of a twentieth of the interval (50 ms of 1 s, at most): those of one step share a wake of
 * this process and, nearly, one of reading their answers. Alone, each costs four times as much.
 */
export function stepOf(intervalMs: Milliseconds): Milliseconds {
  return Math.max(10, Math.min(50, Math.floor(intervalMs / 200) * 10))
}

/** So many checks are to share a wake where the budget leaves few of them, */
const sharing = 8
/** and for that, none waits longer than this. */
const longestStepMs: Milliseconds = 250

/** The steps of checks that are stretched to so many a second in all: the fewer, the longer. */
export function stretchedStep(intervalMs: Milliseconds, perSecond: number): Milliseconds {
  const wanted = Math.floor((100 * sharing) / perSecond) * 10
  return Math.max(stepOf(intervalMs), Math.min(longestStepMs, wanted))
}

export function inStep(at: Milliseconds, stepMs: Milliseconds): Milliseconds {
  return Math.ceil(at / stepMs) * stepMs
}

/** The next turn at least half an interval from now. */
export function nextTurn(
  now: Milliseconds,
  { phase, intervalMs }: { readonly phase: number; readonly intervalMs: Milliseconds },
  random: Random,
): Milliseconds {
  const offset = (phase / phases) * intervalMs
  const earliest = now + intervalMs / 2
  const turn = Math.ceil((earliest - offset) / intervalMs) * intervalMs + offset
  return inStep(turn + (random() - 0.5) * 2 * jitter * intervalMs, stepOf(intervalMs))
}

/** The first turn of a check that need not run at once: within its interval, and within a second. */
export function firstTurn(now: Milliseconds, phase: number, intervalMs: Milliseconds): Milliseconds {
  return inStep(now + (phase / phases) * Math.min(intervalMs, 1000), stepOf(intervalMs))
}
