import type {
  CauseKind,
  Check,
  Cursor,
  Departure,
  Instance,
  InstanceName,
  InstanceSet,
  ProbeResult,
  Registration,
  ServiceChanges,
  ServiceName,
  Unsubscribe,
} from '@portolan/core'
import type { Held } from './records.ts'

/** Who asks: a token's name and what it may do. */
export interface Principal {
  readonly name: string
  /** Admins may touch another owner's instance. */
  readonly admin: boolean
}

/** What keeps an instance alive: heartbeats within a lease, a session, a supervised process, or the config file. */
export type Tether = 'lease' | 'session' | 'process' | 'static'

export interface RegisterRequest {
  readonly registration: Registration
  readonly principal: Principal
  readonly source: string
  readonly tether: Tether
  /** The session that holds it, where the tether is one. */
  readonly session?: string
  /** Its own health checks; undefined = it asks for none in particular. */
  readonly checks?: readonly Check[]
  /** Why it must not have traffic yet: a new run begins with the cause `starting`, in the same commit. */
  readonly starting?: string
}

/** An instance as whoever tests instances sees it. */
export interface Watched {
  readonly instance: Instance
  readonly checks: readonly Check[] | undefined
  readonly tether: Tether
  /** What flap damping held when this was stored. No news by itself. */
  readonly held?: readonly Held[]
}

/** Told of instances within the application of a commit, so it must be quick. */
export interface InstanceObserver {
  /** Registered, or something of it, its checks or its causes is other than before, whoever made it so. */
  present(watched: Watched): void
  gone(name: InstanceName): void
  /**
   * What befell an instance beside its checks, for its history: its session fell silent or closed, a look at it found
   * something, it is protected or removed. `by` = a session, or `registry`. May come before `present` and after `gone`.
   */
  happened?(name: InstanceName, by: string, what: string): void
}

/** What a test of an instance found, for one run of it. `reason` undefined = lifted. */
export interface Verdict {
  readonly incarnation: number
  /** A check's id. */
  readonly owner: string
  readonly cause?: {
    readonly kind: CauseKind
    readonly reason: string | undefined
    /** Flap damping: kept with the cause, so that it outlives this process. Absent = it is not held. */
    readonly penalty?: Omit<Held, 'owner'>
  }
  readonly degraded?: { readonly factor: number; readonly reason: string } | 'lifted'
  /** Lifts `starting` too. */
  readonly started?: boolean
}

export interface Registered {
  readonly incarnation: number
  readonly cursor: Cursor
}

/** Weight 0 to 1,000,000, or the registered one; out of service adds the cause `operator`. Survives restarts. */
export interface Override {
  readonly weight?: number
  readonly outOfService?: boolean
  readonly reason?: string
}

/** One step of a service's view: whole (`snapshot`), or what changed since the step before. */
export type ViewChange =
  | { readonly kind: 'snapshot'; readonly set: InstanceSet }
  | {
      readonly kind: 'delta'
      readonly set: InstanceSet
      readonly put: readonly Instance[]
      readonly gone: readonly Departure[]
    }

/**
 * Somebody who watches a service. A subscriber that answers false is congested: it gets nothing until its
 * subscription's `resume`, then all that it missed in one coalesced change (or a snapshot).
 * The same `ViewChange` object goes to all subscribers that are in step, so its encoding can be made once.
 */
export type Subscriber = (change: ViewChange) => boolean

/**
 * A step of which services there are. The same object, and the same list in it, goes to all who are in step, so that
 * its encoding can be made once.
 */
export interface ServicesStep {
  /** Every one, ordered by namespace and name. */
  readonly services: readonly ServiceName[]
  /** How they follow from the step before; absent in the first that a watcher hears. */
  readonly since?: ServiceChanges
}

/** Somebody who picks by the sets that it hears of. */
export interface Picks {
  /** A session, the same over all its connections. */
  readonly who: string
  /** Whose token it came with. */
  readonly owner?: string
  /** What it calls itself, for the log. */
  readonly name?: string
}

export interface Subscription {
  resume(): void
  /** This subscriber now picks by the set of `cursor`. */
  acknowledge(cursor: Cursor): void
  /** No request of this subscriber is under way to that run of a draining instance. */
  idle(id: string, incarnation: number): void
  /** `broken`: without a goodbye. It may go on picking by its last set, so drains wait for it until it is back. */
  close(how?: 'broken'): void
}

/** The registry as the API, the supervisor and the config see it. Methods throw `Fault`s. */
export interface Registry {
  /**
   * Idempotent upsert, resolved when it would survive SIGKILL.
   * @throws Fault `instance_owned_by_other`, `too_many`, `store_failed`
   */
  register(request: RegisterRequest): Promise<Registered>
  /** @throws Fault `instance_not_found`, `stale_incarnation`, `forbidden` */
  renew(name: InstanceName, principal: Principal, incarnation?: number): void
  /**
   * A goodbye (`reason` default `goodbye`). One of an older incarnation never removes its successor. `exited`: the
   * process that the principal stands for has ended, so that nothing of it is waited for any more.
   */
  deregister(
    name: InstanceName,
    principal: Principal,
    options?: { readonly incarnation?: number; readonly reason?: Departure['reason'] },
  ): Promise<void>
  override(name: InstanceName, principal: Principal, override: Override): Promise<Instance>
  /** Resolves when everybody who picks has let go of the instance (true) or the grace time is over (false). */
  drain(name: InstanceName, principal: Principal, graceMs: number): Promise<boolean>
  /**
   * Takes a drain back, whoever asked for it. Nothing happens to an instance that is not drained. Who waits for that
   * drain hears false.
   */
  undrain(name: InstanceName, principal: Principal): Promise<Instance>
  /** Sets (`reason` given) or lifts (undefined) the cause that (kind, owner) names. */
  report(
    name: InstanceName,
    cause: { readonly kind: CauseKind; readonly owner: string; readonly reason: string | undefined },
  ): Promise<void>

  /** What a check says of one run of an instance, in one commit; nothing when that run is over. */
  judge(name: InstanceName, verdict: Verdict): Promise<void>
  /**
   * What a look at an instance proved, beside what its checks make of it: `refused` removes a run that nobody alive
   * holds, `answered` lifts the `disconnected` of sessions that closed, and `spoke` that of silent ones, too.
   */
  proved(name: InstanceName, incarnation: number, result: ProbeResult): void
  /** Every instance, now and at each change. */
  observe(observer: InstanceObserver): Unsubscribe

  /**
   * Which services there are: within this call, and then after each change. Known is a service in which anybody is
   * registered, one that was declared, and one whose last instance has gone lately; one that is merely watched is not.
   */
  watchServices(receive: (step: ServicesStep) => void): Unsubscribe
  /** These services are known from now on, whether anybody is registered in them or not, in place of those declared before. */
  declareServices(names: readonly ServiceName[]): void
  services(): readonly { readonly name: ServiceName; readonly instances: number; readonly healthy: number }[]
  /** The service's newest set; an empty one when nobody has registered. */
  view(service: ServiceName): InstanceSet
  find(name: InstanceName): Instance | undefined
  /**
   * What there is to tell at once is told within this call; a subscriber whose `from` is up to date hears nothing.
   * @param from a cursor that the subscriber holds: only what came after it is sent, where that is known
   * @param picks who picks by these sets: drains wait for what it answers. Undefined: the subscriber merely looks on
   */
  subscribe(
    service: ServiceName,
    from: Cursor | undefined,
    subscriber: Subscriber,
    picks?: Picks,
  ): Subscription
  readonly cursor: Cursor

  /** A session was opened, fell silent, answered again or closed: facts about a connection, not about instances. */
  sessionOpened(session: string): void
  sessionSilent(session: string): void
  sessionAnswered(session: string): void
  sessionClosed(session: string): void
  close(): Promise<void>
}
