import type { Spreading } from '../balance/composed.ts'
import type { PolicyName } from '../balance/policies.ts'
import type { BreakerSettings } from '../breaker/settings.ts'
import type { ConcurrencyLimitSettings } from '../concurrency/settings.ts'
import type { FaultCode } from '../fault/fault.ts'
import type { CheckStatus } from '../health/check.ts'
import type { Instance, Port, Registration } from '../instance/instance.ts'
import type { OutlierSettings } from '../outlier/settings.ts'
import type { RateDemand, RateLimitSettings, RateShare } from '../rate/limit.ts'
import type { RetryBudgetSettings, RetrySettings } from '../retry/settings.ts'
import type { AccessLogSettings } from './access-log.ts'
import type { AffinitySettings } from './affinity.ts'
import type { AuthSettings } from './auth.ts'
import type { GatewayLimits } from './limits.ts'
import type { Redirect, Rewrite, RouteMatch, WeightedService } from './route.ts'
import type { TracingSettings } from './tracing.ts'

/**
 * The session protocol, version 1: JSON text frames over a websocket at `/api/v1/session`.
 * docs/protocol.md describes it for other languages. Cursors travel as `epoch.revision`. Liveness is the
 * websocket's own ping (server → client) and pong.
 *
 * A request carries a `seq` that its `done` or `failed` repeats. Namespaces default to `default`.
 */
export const protocolVersion = 1

/** Views that one `compare-all` may have: with the longest of names, less than half of a frame. */
export const comparedAtOnce = 1000

/** A registration on the wire: everything but service, id and one port has a default. */
export interface RegistrationMessage extends Partial<Omit<Registration, 'service' | 'id' | 'ports'>> {
  readonly service: string
  readonly id: string
  readonly ports: readonly (number | (Partial<Port> & { readonly number: number }))[]
  /**
   * Health checks as docs/configuration.md writes them, but scripts; `[]` = none. Default: those that the registry's
   * configuration gives to the service, else a TCP check.
   */
  readonly checks?: readonly unknown[]
}

/** What one process's requests to one instance found. */
export interface InstanceOutcomes {
  readonly id: string
  readonly incarnation: number
  /** Answers that speak well of the instance. */
  readonly ok: number
  /** Refused, broken and timed-out connections, and answers 500, 502, 503 and 504. */
  readonly failed: number
  /** Of the last failure. */
  readonly reason?: string | undefined
}

interface Target {
  readonly namespace?: string
  readonly service: string
}

/** What a client knows of a service: up to where, and how many instances. */
export interface HeldView extends Target {
  readonly cursor: string
  readonly count: number
}

export type ClientMessage =
  /** First frame of a connection. `resume` names the session that this connection goes on with. */
  | {
      readonly type: 'hello'
      readonly protocol: number
      readonly kind: 'sdk' | 'proxy' | 'agent'
      readonly name: string
      readonly resume?: string
    }
  | { readonly type: 'register'; readonly seq: number; readonly instance: RegistrationMessage }
  /** A goodbye. Ignored when a newer incarnation has registered since. */
  | ({
      readonly type: 'deregister'
      readonly seq: number
      readonly id: string
      readonly incarnation: number
    } & Target)
  /** Renews a lease explicitly; a living session renews all that it registered by itself. */
  | ({
      readonly type: 'renew'
      readonly seq: number
      readonly id: string
      readonly incarnation: number
    } & Target)
  /** Starts draining; `may-stop` follows when every subscriber has acknowledged or `graceMs` are over. */
  | ({
      readonly type: 'drain'
      readonly seq: number
      readonly id: string
      readonly graceMs?: number
    } & Target)
  | ({ readonly type: 'watch'; readonly seq: number; readonly from?: string } & Target)
  | ({ readonly type: 'unwatch'; readonly seq: number } & Target)
  /** Asks for the gateway's routes, now and at every change. */
  | { readonly type: 'watch-routes'; readonly seq: number }
  /** Asks which services there are, now and at every change. */
  | { readonly type: 'watch-services'; readonly seq: number }
  /** From `cursor` on, this client picks by the set of that revision. */
  | ({ readonly type: 'ack'; readonly cursor: string } & Target)
  /** No request of this client is under way to an instance that it has acknowledged as draining. */
  | ({ readonly type: 'idle'; readonly id: string; readonly incarnation: number } & Target)
  /** What this client's requests found since its last report. Never answered. */
  | ({
      readonly type: 'report'
      readonly overMs: number
      readonly cpuMs?: number
      readonly outcomes: readonly InstanceOutcomes[]
    } & Target)
  /** What this gateway is asked for of a service whose rate limit it shares. Never answered; `share` may follow. */
  | ({ readonly type: 'demand' } & Target & RateDemand)
  /** How an instance says it is: for its `ttl` check of that id (default: its only one). */
  | ({
      readonly type: 'status'
      readonly seq: number
      readonly id: string
      readonly incarnation: number
      readonly check?: string
      readonly status: CheckStatus
      readonly output?: string
      readonly metrics?: Readonly<Record<string, number>>
    } & Target)
  /** Compares a view with the registry's: answered by `done`, after a snapshot if the two differ. */
  | ({ readonly type: 'compare'; readonly seq: number } & HeldView)
  /** Does for each view what `compare` does; those of services that the session does not watch are passed over. */
  | { readonly type: 'compare-all'; readonly seq: number; readonly views: readonly HeldView[] }

/** Why an instance left a service. `lost` came without a goodbye and without proof; the others are proof. */
export type DepartureReason = 'goodbye' | 'exited' | 'refused' | 'expired' | 'removed'

export interface Departure {
  readonly id: string
  readonly reason: DepartureReason
}

/** What the gateway does with the requests that look so. First match wins. */
export interface Route {
  readonly match: RouteMatch
  /** Who gets them all. */
  readonly service?: string
  readonly namespace?: string
  /** Who gets them, each a share: where there is no `service`. */
  readonly split?: readonly WeightedService[]
  /** `address`, `header:NAME` or `cookie:NAME`: requests of one key stay on one side. */
  readonly splitBy?: string
  /** Where clients are sent in place of a service. */
  readonly redirect?: Redirect
  readonly rewrite?: Rewrite
  /** Of the requests by this route. */
  readonly rateLimit?: RateLimitSettings
  /** From its head to the answer's; 0 = as long as it takes. Default: as the service says. */
  readonly timeoutMs?: number
  /** Bytes that a request's body may have; 0 = as many as come. Default: as the table says. */
  readonly maxBody?: number
  /** In place of what the service says. */
  readonly retry?: RetrySettings
  /** In place of what the service says; `none`: nobody is asked. */
  readonly auth?: AuthSettings | 'none'
}

/** What a gateway needs to know from the configuration of its registry. */
export interface RouteTable {
  readonly routes: readonly Route[]
  /** Services that are reachable by `Host: NAME.portolan`: all on loopback, else those with `expose: true`. */
  readonly exposed: 'all' | readonly string[]
  /** By service key; a service that is not named here is balanced by the gateway's own default. */
  readonly policies?: Readonly<Record<string, PolicyName>>
  /** By service key: where new instances and subsets are to be treated otherwise than by default. */
  readonly balance?: Readonly<Record<string, Spreading>>
  /** By service key: where clients stay at the instance that answered them first. */
  readonly affinity?: Readonly<Record<string, AffinitySettings>>
  /** By service key: where a gateway's own outlier detection is to differ from its defaults. */
  readonly outliers?: Readonly<Record<string, Partial<OutlierSettings>>>
  /** By service key: where a gateway's circuit breaker is to differ from its defaults. */
  readonly breakers?: Readonly<Record<string, Partial<BreakerSettings>>>
  /** By service key: how many requests the service takes; without `by`, through all gateways together. */
  readonly rateLimits?: Readonly<Record<string, RateLimitSettings>>
  /** By service key, in milliseconds: how long a request may take until its answer begins. */
  readonly timeouts?: Readonly<Record<string, number>>
  /** By service key, in milliseconds: how long idle connections to its instances are kept, where that is otherwise; 0 = none is. */
  readonly poolIdle?: Readonly<Record<string, number>>
  /** Bytes that a request's body may have, where no route says otherwise. Absent: as many as come. */
  readonly maxBody?: number
  /** What gateways are called in `Via` of requests to instances; `none`: they write none. Default `portolan`. */
  readonly via?: string
  /** By service key: where requests are tried again otherwise than by default, and what that may cost. */
  readonly retries?: Readonly<Record<string, RetrySettings & { readonly budget?: RetryBudgetSettings }>>
  /** By service key: where a gateway finds out by itself how many requests may be under way. */
  readonly concurrency?: Readonly<Record<string, ConcurrencyLimitSettings>>
  /** By service key: who is asked whether a request may pass. */
  readonly auths?: Readonly<Record<string, AuthSettings>>
  /** IPs and CIDR blocks whose X-Forwarded-* are believed. Absent: nobody's. */
  readonly trustedProxies?: readonly string[]
  /** Where the limits of a gateway as a whole are to differ from their defaults. */
  readonly limits?: Partial<GatewayLimits>
  /** Absent: gateways write no access log. */
  readonly accessLog?: AccessLogSettings
  /** Absent: gateways take no part in traces. */
  readonly tracing?: TracingSettings
}

export type ServerMessage =
  | {
      readonly type: 'welcome'
      readonly protocol: number
      readonly session: string
      readonly epoch: string
      /** Pings come at this interval; silence for several of them means that the server is gone. */
      readonly pingMs: number
      readonly leaseMs: number
    }
  | { readonly type: 'done'; readonly seq: number; readonly incarnation?: number; readonly cursor?: string }
  | {
      readonly type: 'failed'
      /** Absent when the frame could not be read far enough to know it. */
      readonly seq?: number
      readonly code: FaultCode
      readonly message: string
      readonly hint?: string
      readonly retryable: boolean
    }
  | ({ readonly type: 'snapshot'; readonly cursor: string; readonly instances: readonly Instance[] } & Target)
  | ({
      readonly type: 'delta'
      readonly cursor: string
      readonly put: readonly Instance[]
      readonly gone: readonly Departure[]
    } & Target)
  | { readonly type: 'routes'; readonly table: RouteTable }
  /** Every service that there is, as far as the token may read it: first of all, and where that is shorter than a change. */
  | { readonly type: 'services'; readonly services: readonly Target[] }
  /** What has changed since the `services` before. */
  | { readonly type: 'services'; readonly put: readonly Target[]; readonly gone: readonly Target[] }
  /** What this gateway may let pass of the service's rate limit, until it is told otherwise. */
  | ({ readonly type: 'share' } & Target & RateShare)
  /** A drained instance of this session may stop: nobody picks it any more. */
  | ({ readonly type: 'may-stop'; readonly id: string; readonly acknowledged: boolean } & Target)
