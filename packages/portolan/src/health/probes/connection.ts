import type { Check } from '@portolan/core'
import type { Plan } from './plan.ts'
import type { Finding } from './probe.ts'

/** Who waits for what a connection finds. Exactly one of these is called, never within `ask`, or it is destroyed. */
export interface Asker {
  /** `reusable`: the connection may carry another request. */
  found(finding: Finding, reusable: boolean): void
  /** The connection was kept from an earlier probe, and closed before this one's answer began: nobody is to blame. */
  stale(): void
}

/** One connection to an instance, open or being made: one request at a time, and idle in between. */
export interface Connection<Kind extends Check> {
  /** That of the last request. */
  readonly plan: Plan<Kind>
  readonly waitingFor: string
  ask(plan: Plan<Kind>, asker: Asker): void
  /** Closes at once; the asker hears nothing more. */
  destroy(): void
}
