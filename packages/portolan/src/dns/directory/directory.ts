import type { Instance, InstanceSet, ServiceName } from '@portolan/core'

export interface Versioned {
  /** Grows with each change. */
  readonly version: number
}

/**
 * One service as DNS knows it: the same object for as long as it is known. Its version grows with each change of its set,
 * or of who may be picked in it, and once more when it is forgotten.
 */
export interface KnownService extends Versioned {
  readonly name: ServiceName
  readonly set: InstanceSet
  /** Those that pickers would pick among, in panic too (core's `eligible`), ordered by id. */
  readonly eligible: readonly Instance[]
  /** Of `eligible`: whether it took failing open. */
  readonly panic: boolean
}

/** All that DNS answers from. Its own version grows with each change of anything. */
export interface Directory extends Versioned {
  /** False until a registry has told what services there are, and what is in each of them. */
  readonly ready: boolean
  /** True while no registry answers: what was known last is served on. */
  readonly stale: boolean
  /**
   * By lower-case names. Where two services differ by case alone, the one that comes last by its own name: one that is in
   * lower case itself comes after all others.
   */
  service(namespace: string, service: string): KnownService | undefined
  /**
   * Whether there are names of services below this one, which has no domain: a zone, a namespace, or the end of a name with
   * dots, as in `zone-a`, `staging.ns`, `zone-a.staging.ns` (see `names/branches.ts`).
   */
  isAbove(name: string): boolean
  /** Every instance that has this address (canonical text, no zone id), whether it may be picked or not. */
  addressed(ip: string): readonly Instance[]
  /** Every instance whose `host` is this one, in lower case. */
  hosted(host: string): readonly Instance[]
}
