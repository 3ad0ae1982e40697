import type { Finding, Running } from './probe.ts'

/** Settles with what is known already, yet not within this call. */
export function settleSoon(finding: Finding, settle: (finding: Finding) => void): Running {
  const turn = setImmediate(() => settle(finding))
  return { cancel: () => clearImmediate(turn) }
}
