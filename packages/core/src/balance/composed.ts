import { priorityOf } from '../instance/priority.ts'
import type { Milliseconds } from '../time/clock.ts'
import { failover } from './failover/failover.ts'
import type { Policy } from './picker.ts'
import { type PolicyName, type PolicyOptions, policyByName } from './policies.ts'
import { slowStart, slowStartDefaultMs } from './slow-start/slow-start.ts'
import { subsetting } from './subset/subset.ts'
import { zoneFirst } from './zones/zones.ts'

/** What a policy is told, and what goes on around it. */
export interface Spreading extends PolicyOptions {
  /** How long a new instance takes to its full weight; 0 = none. Default 30 s. */
  readonly slowStartMs?: Milliseconds | undefined
  /** Instances that one caller picks among, of each zone and level of priority; 0 = all. Default 0. */
  readonly subset?: number | undefined
  /** What a request's key is, for a gateway and policies that hash: `address`, `header:NAME` or `cookie:NAME`. */
  readonly hashBy?: string | undefined
}

/** How one service is balanced. */
export interface BalanceSettings extends Spreading {
  /** Default: see {@link policyByName}. */
  readonly policy?: PolicyName | undefined
}

/** Who picks. */
export interface Caller {
  /** Where it runs; its own zone is preferred. Default: nowhere in particular. */
  readonly zone?: string | undefined
  /** Names this process, for its subset. */
  readonly client?: string | undefined
}

/**
 * The policy with all that goes on around it: priorities, then zones, then subsets, and new instances come in slowly.
 * @param newPolicy what stands at the core, for who wants to look on. Default: the one that the settings name
 */
export function composedPolicy(
  settings: BalanceSettings = {},
  caller: Caller = {},
  newPolicy: () => Policy = () => policyByName(settings.policy, settings),
): Policy {
  const { slowStartMs = slowStartDefaultMs, subset = 0 } = settings
  const base = (): Policy => subsetting(newPolicy(), caller.client ?? '', subset)
  const near = (): Policy => zoneFirst(base, caller.zone)
  return slowStart(failover(near, priorityOf), { rampMs: slowStartMs })
}
