import type { WorkloadDefinition } from './definition.ts'
import { requireLinux } from './proc-table.ts'
import type { CopyState } from './supervised.ts'
import { Supervisor, type WorkloadsOptions } from './supervisor.ts'

export type { WorkloadsOptions } from './supervisor.ts'

/** The supervised programs of one server. */
export interface Workloads {
  /**
   * Gives `workload` (a service's key: `order`, `staging/order`) n copies: grows by the lowest free ids, shrinks by draining and ending the highest ones.
   * Resolves when those that had to go have ended; it does not wait for new ones.
   * @throws Fault `service_not_found` (no such workload), `config_invalid`
   */
  setReplicas(workload: string, replicas: number): Promise<void>
  /**
   * Goes over to these definitions: what is new is started, what is missing is drained and ended, what has changed
   * is replaced one copy after the other, with one more than usual meanwhile (but where the port is fixed): so many
   * have traffic at any moment as were wanted before. Where a changed one does not come up within 30 s, the copies
   * after it stay as they were, and where the additional one does not, all do.
   * One at a time: a newer call ends what is still on its way, where it is.
   * @throws Fault `config_invalid` (nothing was done), `workload_failed` (a changed program does not come up)
   */
  apply(definitions: readonly WorkloadDefinition[]): Promise<void>
  /** Every copy, in the definitions' order and by ordinal. */
  states(): readonly CopyState[]
  /**
   * Drains and ends everything that it started, all at once, within the longest grace times and a second.
   * `now`, also while a `close` is under way: without drain and grace.
   */
  close(options?: { readonly now?: boolean }): Promise<void>
}

/**
 * Starts the supervisor: what an earlier one on the same ledger left running is adopted where it is still wanted
 * like that, and ended where it is not; the rest is started. Resolves when that is decided and under way.
 * @throws Fault `config_invalid`, `workload_failed` (not on Linux), and what the ledger throws
 */
export async function openWorkloads(options: WorkloadsOptions): Promise<Workloads> {
  requireLinux()
  const supervisor = new Supervisor(options)
  await supervisor.resume()
  return {
    apply: definitions => supervisor.apply(definitions),
    setReplicas: (workload, replicas) => supervisor.setReplicas(workload, replicas),
    states: () => supervisor.states(),
    close: closing => supervisor.close(closing?.now === true),
  }
}
