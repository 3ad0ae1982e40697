/** What gateways write down of requests, one JSON line each. */
export interface AccessLogSettings {
  /** The share of requests that is written down; 0 = no access log. */
  readonly sample: number
  /** Whether answers from 500 on, and those that were cut, are always written down. Default true. */
  readonly errors?: boolean
  /** Whether paths keep their query. Default false: queries carry secrets. */
  readonly query?: boolean
  /** `stdout` (the default), or an absolute path on the gateway's machine. */
  readonly path?: string
}
