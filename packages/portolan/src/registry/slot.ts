import type { Cause, Instance, InstanceName } from '@portolan/core'
import type { CausesRecord, InstanceRecord, OverrideRecord } from './records.ts'

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
}

const nothing = { value: undefined, revision: 0 }

export function emptySlot(name: InstanceName): Slot {
  return { name, record: nothing, causes: nothing, override: nothing, instance: undefined }
}

export function isEmpty({ record, causes, override }: Slot): boolean {
  return record.value === undefined && causes.value === undefined && override.value === undefined
}

/** 0 while nobody is registered. */
export function incarnationOf({ record }: Pick<Slot, 'record'>): number {
  return record.value?.instance.incarnation ?? 0
}

/** The stored causes, unless they are those of another incarnation. */
export function causesOf({ record, causes }: Slot): readonly Cause[] {
  const valid = causes.value !== undefined && causes.value.incarnation === incarnationOf({ record })
  return valid ? causes.value.causes : none
}

/** The instance as the three records make it. An override's weight wins; out of service is the cause `operator`. */
export function instanceOf(slot: Slot): Instance | undefined {
  const record = slot.record.value
  if (record === undefined) return undefined
  const override = slot.override.value
  const causes = causesOf(slot)
  if (override === undefined && causes.length === 0) return record.instance
  return {
    ...record.instance,
    weight: override?.weight ?? record.instance.weight,
    causes: override?.outOfService === true ? [...causes, operatorCause(override)] : causes,
  }
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
