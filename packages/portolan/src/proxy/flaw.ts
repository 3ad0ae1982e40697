import { type Problem, problems } from './problem.ts'

/** Why an instance's answer can't be passed on: a refusal of the codec, or one of {@link flaws}. */
export interface Flaw {
  /** Stable, for metrics and logs. */
  readonly code: string
  readonly reason: string
}

export const flaws = {
  tooManyInterims: { code: 'too_many_interims', reason: 'more than 64 answers 1xx came before it' },
  unaskedSwitch: {
    code: 'unasked_switch',
    reason: 'it switches to a protocol that nobody has asked for, or before the end of the request',
  },
} as const satisfies Readonly<Record<string, Flaw>>

/** What the client is told. Nothing of the answer itself goes into it. */
export function problemOfFlaw({ code, reason }: Flaw): Problem {
  const { badResponse } = problems
  return { ...badResponse, reason: `${badResponse.reason}: ${code} (${reason})`, detail: code }
}
