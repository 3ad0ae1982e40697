import {
  type Cause,
  type Check,
  type Degraded,
  Fault,
  type Instance,
  type InstanceName,
} from '@portolan/core'

/** What holds an instance, beside its lease: each names the session it hangs on. */
export interface Holds {
  /** The session of the program itself. */
  readonly session?: string
  /** Who supervises its process: the session of `portolan run`, or this server's own run. */
  readonly process?: string
  /** The config file: no lease, no probe at restart. */
  readonly static?: true
}

/** `instances/{ns}/{service}/{id}`: a registration as it is stored. */
export interface InstanceRecord {
  /** As it was registered: without causes, with its own weight. Most instances are shown as just this object. */
  readonly instance: Instance
  readonly held: Holds
  /** Its own health checks; absent = it asked for none in particular. */
  readonly checks?: readonly Check[]
  /**
   * `starting`, where this run began with it: that holds until a causes record of the same run says otherwise. In
   * here, since a key of its own would cost each registration as much again.
   */
  readonly begins?: readonly Cause[]
}

/**
 * `causes/{ns}/{service}/{id}`: why an instance should not be picked, or should get less. They belong to
 * one incarnation; those of another are void, so that a cause that arrives late never burdens a successor.
 */
export interface CausesRecord {
  readonly incarnation: number
  readonly causes: readonly Cause[]
  /** Absent = nothing lowers its weight. */
  readonly degraded?: readonly Degraded[]
  /** Absent = flap damping holds nobody here. */
  readonly held?: readonly Held[]
}

/** Flap damping keeps the instance out, however well this check of it goes, until the penalty has decayed. */
export interface Held {
  /** The check's id, as in its cause, with which it ends. */
  readonly owner: string
  /** The penalty as of `at`, ISO 8601, UTC: it decays while no registry runs, too. */
  readonly value: number
  readonly at: string
}

/** `overrides/{ns}/{service}/{id}`: what a person decided. It outlives the registration. */
export interface OverrideRecord {
  readonly weight?: number
  readonly outOfService?: true
  readonly reason?: string
  readonly by: string
  /** ISO 8601, UTC. */
  readonly since: string
}

/** `departed`: why the instances that the same commit deletes go. One key, overwritten by each such commit. */
export type DepartedRecord = readonly (readonly [key: string, reason: string])[]

export type RecordKind = 'instances' | 'causes' | 'overrides'

export const departedKey = 'departed'

export function keyOf(kind: RecordKind, name: InstanceName): string {
  return `${kind}/${name.namespace}/${name.service}/${name.id}`
}

/** The kind and name in a key; undefined for the keys of others. */
export function parseKey(key: string): { kind: RecordKind; name: InstanceName } | undefined {
  const a = key.indexOf('/')
  const kind = key.slice(0, a)
  if (kind !== 'instances' && kind !== 'causes' && kind !== 'overrides') return undefined
  const b = key.indexOf('/', a + 1)
  const c = key.indexOf('/', b + 1)
  if (b < 0 || c < 0) return undefined
  return {
    kind,
    name: { namespace: key.slice(a + 1, b), service: key.slice(b + 1, c), id: key.slice(c + 1) },
  }
}

/** The version of every record's format. A reader that meets a newer one stops instead of guessing. */
const format = 1

export function encode(record: InstanceRecord | CausesRecord | OverrideRecord | DepartedRecord): string {
  return JSON.stringify({ v: format, record })
}

/** The caller knows by the key which record it is. @throws Fault `store_failed` on a newer format or no record */
export function decode<Stored>(key: string, value: string): Stored {
  const wrapped = parse(key, value) as { v?: unknown; record?: unknown }
  if (wrapped.v === format && wrapped.record !== undefined) return wrapped.record as Stored
  throw new Fault('store_failed', `the record ${key} has format ${wrapped.v}; this version reads ${format}`, {
    source: 'internal',
    hint: 'it was written by a newer Portolan: start that one, or another data directory',
  })
}

function parse(key: string, value: string): unknown {
  try {
    return JSON.parse(value) ?? {}
  } catch (cause) {
    throw new Fault('store_failed', `the record ${key} is no JSON`, { source: 'internal', cause })
  }
}
