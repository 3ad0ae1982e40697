import { z } from 'zod'
import type { Store } from '../store/store.ts'

/**
 * What a later supervisor must know of one copy to adopt or end it. Written before its process is made, without pid,
 * and again with it: a supervisor that is killed in between finds the process by the launch's mark in its environment.
 */
export interface WorkloadRecord {
  /** `NAMESPACE/SERVICE/ID`, or `system/NAME`. */
  readonly key: string
  /** Random, one a launch; the process and what it starts carry it in `PORTOLAN_LAUNCH`. */
  readonly launch: string
  readonly bootId: string
  /** What it was started with, see `fingerprint`. */
  readonly fingerprint: string
  readonly port: number | undefined
  readonly process: { readonly pid: number; readonly startTicks: number } | undefined
}

/** Where the records are kept; what `save` has resolved survives SIGKILL. */
export interface WorkloadLedger {
  load(): Promise<readonly WorkloadRecord[]>
  save(record: WorkloadRecord): Promise<void>
  forget(key: string): Promise<void>
}

const prefix = 'workloads/'

const shape = z.object({
  v: z.literal(1),
  launch: z.string().min(1),
  bootId: z.string(),
  fingerprint: z.string(),
  port: z.number().int().optional(),
  process: z.object({ pid: z.number().int().min(2), startTicks: z.number().int() }).optional(),
})

/** Keeps the records under `workloads/` of a store. A record that cannot be read is left out: it names nobody. */
export function storeLedger(store: Store): WorkloadLedger {
  return {
    async load() {
      const { entries } = await store.read(prefix)
      return entries.flatMap(entry => decode(entry.key.slice(prefix.length), entry.value))
    },
    async save({ key, ...record }) {
      await store.commit({ put: [{ key: prefix + key, value: JSON.stringify({ v: 1, ...record }) }] })
    },
    async forget(key) {
      await store.commit({ delete: [prefix + key] })
    },
  }
}

function decode(key: string, value: string): WorkloadRecord[] {
  const parsed = shape.safeParse(parseJson(value))
  if (!parsed.success) return []
  const { launch, bootId, fingerprint, port, process } = parsed.data
  return [{ key, launch, bootId, fingerprint, port, process }]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
