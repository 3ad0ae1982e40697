import { checkWeight, type InstanceName, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'
import { checkText, limits } from './limits.ts'
import { encode, keyOf, type OverrideRecord } from './records.ts'
import type { Override } from './registry.ts'
import type { Slot } from './slot.ts'

export interface OverrideParts {
  readonly store: Store
  readonly reached: (revision: number) => Promise<void>
  readonly catchUp: (key: string) => Promise<void>
}

/**
 * What is stored for an override; undefined = nothing is overridden any more. Going on with being out of service
 * keeps the time since when it is.
 * @throws Fault `invalid_request`
 */
export function overrideRecord(
  override: Override,
  before: OverrideRecord | undefined,
  by: string,
  now: string,
): OverrideRecord | undefined {
  const { weight, outOfService, reason } = override
  if (weight === undefined && outOfService !== true) return undefined
  return {
    ...(weight === undefined ? {} : { weight: checkWeight(weight) }),
    ...(outOfService === true ? { outOfService } : {}),
    ...(reason === undefined ? {} : { reason: checkText(reason, 'reason', limits.reason) }),
    by,
    since: outOfService === true && before?.outOfService === true ? before.since : now,
  }
}

/** Replaces the stored override. Nobody else's is lost: the last one that a person set, holds. */
export async function storeOverride(
  { store, reached, catchUp }: OverrideParts,
  slot: Slot,
  name: InstanceName,
  next: OverrideRecord | undefined,
): Promise<void> {
  const key = keyOf('overrides', name)
  for (;;) {
    if (next === undefined && slot.override.value === undefined) return
    const condition = [{ key, revision: slot.override.revision }]
    try {
      const revision = await store.commit(
        next === undefined
          ? { if: condition, delete: [key] }
          : { if: condition, put: [{ key, value: encode(next) }] },
      )
      return await reached(revision)
    } catch (thrown) {
      if (toFault(thrown).code !== 'store_conflict') throw thrown
      await catchUp(key)
    }
  }
}
