/** `500ms`, `3s`, `5m`: a number and a unit. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'h'}`

interface Common {
  /** Unique among the instance's checks. Default: its type, `http-2` for the second of a type. */
  readonly id?: string
  /** From one probe to the next, at least `100ms`. Default `1s`. */
  readonly interval?: DurationText
  /** Less than the interval. Default `500ms`, at most half the interval. */
  readonly timeout?: DurationText
  /** Passes in a row until an instance that was out is back. Default 2; 1 of `ttl`. */
  readonly rise?: number
  /** Lowers the weight instead of taking the instance out. */
  readonly degraded?: {
    /** While answers take longer than this, as a moving average. */
    readonly latency: DurationText
    /** What the weight is multiplied by meanwhile, greater than 0 and less than 1. Default 0.5. */
    readonly weight?: number
  }
}

interface Aimed {
  /** By number, or by the name that the registration gives it. Default: the instance's default port. */
  readonly port?: number | string
}

interface Secured {
  /** Default: as the port says. */
  readonly tls?: boolean
  /** Whether the certificate must be valid for the instance's host. Default true. */
  readonly verify?: boolean
}

/** A connection comes about. */
export interface TcpCheckOptions extends Common, Aimed {
  readonly type: 'tcp' | 'TCP'
}

/** A request is answered as expected. */
export interface HttpCheckOptions extends Common, Aimed, Secured {
  readonly type: 'http' | 'HTTP'
  /** Default `/`. */
  readonly path?: string
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST'
  /** Any but `Host` and those of the connection itself. */
  readonly headers?: Readonly<Record<string, string>>
  readonly expect?: {
    /** `200`, `200-299`, or a list of such. Default `200-299`. */
    readonly status?: number | string | readonly (number | string)[]
    /** Text that the first 64 KiB of the body must contain. */
    readonly body?: string
  }
}

/** `grpc.health.v1.Health/Check` answers SERVING. */
export interface GrpcCheckOptions extends Common, Aimed, Secured {
  readonly type: 'grpc' | 'gRPC'
  /** Default: the whole server. */
  readonly service?: string
}

interface Exceeding {
  readonly metric: string
  readonly above: number
  readonly weight?: number
}

/** The program itself says how it is, by `Lease.report`, at least once an interval. */
export interface TtlCheckOptions extends Pick<Common, 'id' | 'rise'> {
  readonly type: 'ttl' | 'TTL'
  /** How long one report holds. */
  readonly interval: DurationText
  /** Lowers the weight while it warns, and while the number that it reports as `metric` is greater than `above`. */
  readonly degraded?: { readonly weight?: number } | Exceeding
}

/** A health test that a program asks the registry for. Only the registry's own file names scripts. */
export type CheckOptions = TcpCheckOptions | HttpCheckOptions | GrpcCheckOptions | TtlCheckOptions
