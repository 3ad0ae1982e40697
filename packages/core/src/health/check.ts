import type { Milliseconds } from '../time/clock.ts'

export const checkTypes = ['tcp', 'http', 'grpc', 'script', 'ttl'] as const

/** What metrics may be called, whoever reports them. */
export const metricName: RegExp = /^[A-Za-z0-9._:/-]{1,64}$/

export type CheckType = (typeof checkTypes)[number]

/** When an instance is not failing, and yet not at its best: its weight is multiplied by `weight` for as long. */
export interface Degradation {
  /** Answers of this check that take longer, as a moving average. */
  readonly latencyMs?: Milliseconds
  /** A metric that the check reports (script output, `ttl` report), and the value above which it counts. */
  readonly metric?: { readonly name: string; readonly above: number }
  /** Greater than 0, less than 1. Default 0.5. */
  readonly weight: number
}

interface CheckBase {
  /** Unique among an instance's checks, 1 to 64 characters of `[A-Za-z0-9._-]`: the owner of its cause. */
  readonly id: string
  /** From one probe to the next; for `ttl`, how long one report holds. At least 100 ms. */
  readonly intervalMs: Milliseconds
  /** Less than the interval. Not used by `ttl`. */
  readonly timeoutMs: Milliseconds
  /** Passes in a row until an instance that was out is back. Default 2; 1 of `ttl`. */
  readonly rise: number
  readonly degraded?: Degradation
}

/** Where a probe goes: always to the instance's own addresses; its default port, or the one of that name or number. */
interface Aimed {
  readonly port?: string | number
}

/** A connection comes about. */
export interface TcpCheck extends CheckBase, Aimed {
  readonly type: 'tcp'
}

/** An HTTP/1.1 request is answered as expected (RFC 9110). */
export interface HttpCheck extends CheckBase, Aimed {
  readonly type: 'http'
  /** `GET`, `HEAD`, `OPTIONS` or `POST`. Default `GET`. */
  readonly method: string
  /** Default `/`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Inclusive ranges of statuses that pass. Default 200 to 299. */
  readonly statuses: readonly (readonly [from: number, to: number])[]
  /** Text that the first 64 KiB of the body must contain. */
  readonly body?: string
  /** Default: as the port says. */
  readonly tls?: boolean
  /** Whether the instance's certificate must be valid for its host. Default true. */
  readonly verify?: boolean
}

/** `grpc.health.v1.Health/Check` answers SERVING. */
export interface GrpcCheck extends CheckBase, Aimed {
  readonly type: 'grpc'
  /** The service asked for; `''` (the default) means the whole server. */
  readonly service: string
  readonly tls?: boolean
  readonly verify?: boolean
}

/** A program ends with status 0 (passing), 1 (warning) or another (critical). The server's own file only. */
export interface ScriptCheck extends CheckBase {
  readonly type: 'script'
  /** Absolute program and arguments. No shell reads them. */
  readonly command: readonly [string, ...string[]]
}

/** The instance itself says how it is, at least once an interval. */
export interface TtlCheck extends CheckBase {
  readonly type: 'ttl'
}

/** One health test of one instance. */
export type Check = TcpCheck | HttpCheck | GrpcCheck | ScriptCheck | TtlCheck

/** What one look at an instance found. A warning does not take it out: it lowers the weight. */
export type CheckStatus = 'passing' | 'warning' | 'critical'
