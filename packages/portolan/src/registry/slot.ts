import { type Cause, type Degraded, type Instance, type InstanceName, minWeight } from '@portolan/core'
import type { CausesRecord, Held, InstanceRecord, OverrideRecord } from './records.ts'
import type { Watched } from './registry.ts'

/** A record and the revision that wrote it last; 0 = there is none. */
export interface Stored<Value> {
  readonly value: Value | undefined
  readonly revision: number
}

/** What the store's three keys of one id say, and the instance that follows from them. */
export interface Slot {
  readonly name: InstanceName
  record: Stored<InstanceRecord>
  causes: Stored<CausesRecord>
  override: Stored<OverrideRecord>
  /** What everybody sees; undefined while nobody is registered under the id. */
  instance: Instance | undefined
  /** What observers were told last. */
  told: Watched | undefined
}

/** What is said of one run: why it should not be picked, and why it should get less than its share. */
export interface Standing {
  readonly causes: readonly Cause[]
  readonly degraded: readonly Degraded[]
  /** And whom flap damping keeps out. */
  readonly held: readonly Held[]
}

const nothing = { value: undefined, revision: 0 }

export function emptySlot(name: InstanceName): Slot {
  return { name, record: nothing, causes: nothing, override: nothing, instance: undefined, told: undefined }
}

export function isEmpty({ record, causes, override }: Slot): boolean {
  return record.value === undefined && causes.value === undefined && override.value === undefined
}

/** 0 while nobody is registered. */
export function incarnationOf({ record }: Pick<Slot, 'record'>): number {
  return record.value?.instance.incarnation ?? 0
}

/** The stored causes; those that its run began with, where none of this incarnation are stored. */
export function causesOf({ record, causes }: Slot): readonly Cause[] {
  const { value } = record
  if (causes.value !== undefined && causes.value.incarnation === incarnationOf({ record }))
    return causes.value.causes
  return value?.begins ?? none
}

/** The stored degradations, unless they are those of another incarnation. */
export function degradedOf({ record, causes }: Slot): readonly Degraded[] {
  const { value } = causes
  return (value?.incarnation === incarnationOf({ record }) && value.degraded) || undegraded
}

/** What flap damping holds, unless it is of another incarnation. */
export function heldOf({ record, causes }: Slot): readonly Held[] {
  const { value } = causes
  return (value?.incarnation === incarnationOf({ record }) && value.held) || unheld
}

/**
 * The instance as the three records make it. An override's weight wins over the registered one, and the lowest
 * factor lowers either; out of service is the cause `operator`.
 */
export function instanceOf(slot: Slot): Instance | undefined {
  const record = slot.record.value
  if (record === undefined) return undefined
  const override = slot.override.value
  const causes = causesOf(slot)
  const degraded = degradedOf(slot)
  if (override === undefined && causes.length === 0 && degraded.length === 0) return record.instance
  return {
    ...record.instance,
    weight: lowered(override?.weight ?? record.instance.weight, degraded),
    causes: override?.outOfService === true ? [...causes, operatorCause(override)] : causes,
    ...(degraded.length === 0 ? {} : { degraded }),
  }
}

/** What degradation leaves of a weight: never nothing, since it takes nobody out. */
function lowered(weight: number, degraded: readonly Degraded[]): number {
  let lowest = 1
  for (const { factor } of degraded) lowest = Math.min(lowest, factor)
  return lowest < 1 && weight > 0 ? Math.max(minWeight, weight * lowest) : weight
}

function operatorCause({ by, reason, since }: OverrideRecord): Cause {
  return { kind: 'operator', owner: by, reason: reason ?? 'taken out of service', since }
}

/** Whether `after` is worse news than `before`: it left, or has a cause that it had not. Bad news never waits. */
export function isBadNews(before: Instance | undefined, after: Instance | undefined): boolean {
  if (before === undefined) return false
  if (after === undefined) return true
  return after.causes.some(
    cause => !before.causes.some(known => known.kind === cause.kind && known.owner === cause.owner),
  )
}

const none: readonly Cause[] = Object.freeze([])
const undegraded: readonly Degraded[] = Object.freeze([])
const unheld: readonly Held[] = Object.freeze([])
