import { checkWeight, toFault } from '@portolan/core'
import type { Store } from '../store/store.ts'
import { checkText, limits } from './limits.ts'
import { encode, keyOf, type OverrideRecord } from './records.ts'
import type { Override } from './registry.ts'
import type { ServiceState } from './service-state.ts'
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

/** Overrides that wait for their instance to come back, of one service. What is older goes when another is set. */
const mostWaiting = 1000

/** Replaces the stored override: the last one that a person set holds. */
export async function storeOverride(
  { store, reached, catchUp }: OverrideParts,
  service: ServiceState,
  slot: Slot,
  next: OverrideRecord | undefined,
): Promise<void> {
  const key = keyOf('overrides', slot.name)
  for (;;) {
    if (next === undefined && slot.override.value === undefined) return
    const put = next === undefined ? [] : [{ key, value: encode(next) }]
    const gone = next === undefined ? [key] : forgotten(service)
    try {
      return await reached(
        await store.commit({ if: [{ key, revision: slot.override.revision }], put, delete: gone }),
      )
    } catch (thrown) {
      if (toFault(thrown).code !== 'store_conflict') throw thrown
      await catchUp(key)
    }
  }
}

/** The keys of the longest waiting overrides, where there are too many. */
function forgotten({ slots, size }: ServiceState): string[] {
  if (slots.size - size < mostWaiting) return []
  const waiting = [...slots.values()].filter(({ record, override }) => !record.value && override.value)
  const since = ({ override }: Slot): string => override.value?.since ?? ''
  waiting.sort((a, b) => (since(a) < since(b) ? -1 : 1))
  return waiting
    .slice(0, Math.max(0, waiting.length + 1 - mostWaiting))
    .map(({ name }) => keyOf('overrides', name))
}
