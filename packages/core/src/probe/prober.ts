import type { Check } from '../health/check.ts'
import type { Instance } from '../instance/instance.ts'

/**
 * What one look at an instance found: `spoke` (it answered in a protocol of its own, such as HTTP: its program runs),
 * `answered` (it accepted a connection, which a kernel does for a stopped process, too), `refused` (its host says that
 * nobody listens there: proof that it is gone), or `silent` (none of it within the time-out: proof of nothing).
 */
export type ProbeResult = 'spoke' | 'answered' | 'refused' | 'silent'

/** Looks whether an instance is there. Never rejects: what cannot be probed is `silent`. */
export interface Prober {
  /**
   * By the instance's own check, or by TCP connect if it has none.
   * @param checks those that came with its registration; undefined = it asked for none in particular
   */
  probe(instance: Instance, signal: AbortSignal, checks?: readonly Check[]): Promise<ProbeResult>
}
