import type {
  Check,
  CheckStatus,
  InstanceName,
  Milliseconds,
  OutcomeReport,
  Prober,
  Registration,
  ServiceName,
} from '@portolan/core'
import type { HealthLimits } from '../config/resolve.ts'
import type { Registry, Tether } from '../registry/registry.ts'

/** What an instance says of itself: for its `ttl` check of that id, or its only one. */
export interface StatusReport {
  readonly check?: string
  readonly status: CheckStatus
  readonly output?: string
  readonly metrics?: Readonly<Record<string, number>>
}

/** One check of one instance, as it stands. */
export interface CheckStanding {
  readonly id: string
  readonly type: Check['type']
  /** What it looks at, for people: `GET /health at port 8080`. */
  readonly aim: string
  /** `new`: it has not run yet, and has no vote. */
  readonly phase: 'new' | 'passing' | 'warning' | 'suspect' | 'critical'
  readonly reason: string
  /** ISO 8601; absent before the first result. */
  readonly lastAt?: string
  readonly latencyMs?: Milliseconds
  readonly output?: string
  readonly metrics?: Readonly<Record<string, number>>
  /** As asked for, and as it is kept at the moment: longer where the budget stretches it. */
  readonly intervalMs: Milliseconds
  readonly keptIntervalMs: Milliseconds
  /** Flap damping: back not before its penalty has decayed. */
  readonly penalty: number
  readonly heldUntil?: string
}

/** Something that happened to an instance, newest last; the last 32 are kept. */
export interface HealthEvent {
  readonly at: string
  /** A check's id, or who reported. */
  readonly by: string
  readonly what: string
}

export interface HealthReport {
  readonly checks: readonly CheckStanding[]
  readonly history: readonly HealthEvent[]
}

/** By service key: the checks that the configuration gives to all its instances; undefined = none in particular. */
export type ServiceChecks = (service: ServiceName) => readonly Check[] | undefined

/** When somebody heard of an instance last, in milliseconds ago; undefined = never. Asked often: it must be cheap. */
export type HeardAgo = (name: InstanceName) => Milliseconds | undefined

/** Tests every instance, each once for all who pick, and tells the registry what follows. */
export interface Health {
  /** For the registry's own questions: by the instance's own check. */
  readonly prober: Prober
  /** Why a new run must not have traffic yet; undefined where nothing would test it. */
  startingReason(
    registration: Registration,
    checks: readonly Check[] | undefined,
    tether: Tether,
  ): string | undefined
  /** Begins to test what the registry knows. */
  attach(registry: Registry): void
  /** Takes other checks, and limits, from the configuration; the states of the checks that stay go on. */
  configure(checks: ServiceChecks, limits?: Partial<HealthLimits>): void
  /** What a proxy's or SDK's requests found: fresh signs of life, and suspects that are looked at now. */
  reported(reporter: string, service: ServiceName, report: OutcomeReport): void
  /** Where to ask when a session heard of an instance last, which is fresher than any probe. */
  hearing(heardAgo: HeardAgo): void
  /** @throws Fault `instance_not_found`, `stale_incarnation`, `invalid_request` (no such `ttl` check) */
  status(name: InstanceName, incarnation: number | undefined, report: StatusReport): void
  /** A heartbeat that says nothing more: each of its `ttl` checks passes. Nothing happens to whom nobody knows. */
  beat(name: InstanceName): void
  why(name: InstanceName): HealthReport
  close(): Promise<void>
}
