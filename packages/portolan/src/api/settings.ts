/** Where to listen. Port 0 takes a free one; several hosts with port 0 share the port that the first was given. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** PEM files. They are read again when they change. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** What a peer can grow, and how far. */
export interface ApiLimits {
  /** Bytes of a request's body. Default 1 MiB. */
  readonly body: number
  /** Bytes of a request's head. Default 16 KiB. */
  readonly head: number
  /** Bytes of one websocket frame. Default 1 MiB. */
  readonly frame: number
  /** Connections of one listener. Default 50,000. */
  readonly connections: number
  /** Services that one session watches. Default 10,000. */
  readonly subscriptions: number
  /** The same for one of kind `proxy`: a DNS server watches every service that there is. Default 100,000. */
  readonly proxySubscriptions: number
  /** Instances that one session registers. Default 10,000. */
  readonly instances: number
  /** Messages per second of one session, over time. Faster ones are read no faster. Default 20,000. */
  readonly messages: number
  /** Requests of one session that wait for their answer; more are not read. Default 1,024. */
  readonly pending: number
}

/** All times in milliseconds. */
export interface ApiTimes {
  /** Between a session's pong and its next ping. Stretched when there are many sessions. Default 400. */
  readonly ping: number
  /** A ping unanswered for so long makes its session silent. Default 200. */
  readonly silent: number
  /** Silence for so long closes a session; also how long a closed one can be resumed. Default 15,000. */
  readonly lease: number
  /** A connection that does not say hello within this is closed. Default 5,000. */
  readonly hello: number
  /** Between comments on an event stream, so that proxies keep it open. Default 15,000. */
  readonly heartbeat: number
  /** Between two looks at the tokens of open sessions and event streams. Default 5,000. */
  readonly recheck: number
  /** How long `close` waits for requests under way. Default 2,000. */
  readonly goodbye: number
}

export interface ApiSettings {
  /** Default: port 7400 of 127.0.0.1 and, where this machine has it, ::1. */
  readonly listen?: readonly ListenAddress[]
  /** Names by which clients may call, beside IP literals and localhost. */
  readonly names?: readonly string[]
  /** Origins of pages, beside our own, that may call: `https://console.example`. */
  readonly origins?: readonly string[]
  readonly tls?: TlsFiles
  /** Listen beyond loopback without TLS and tokens. Default false. */
  readonly insecure?: boolean
  /** Ports beside those of `listen` at which this server listens, its gateway's: no instance may be registered there. */
  readonly controlPorts?: readonly number[]
  /** Where the gateway listens, for the front page. */
  readonly gateway?: string
  readonly limits?: Partial<ApiLimits>
  readonly times?: Partial<ApiTimes>
}

export const defaultPort = 7400

export const defaultLimits: ApiLimits = {
  body: 1_048_576,
  head: 16_384,
  frame: 1_048_576,
  connections: 50_000,
  subscriptions: 10_000,
  proxySubscriptions: 100_000,
  instances: 10_000,
  messages: 20_000,
  pending: 1024,
}

export const defaultTimes: ApiTimes = {
  ping: 400,
  silent: 200,
  lease: 15_000,
  hello: 5000,
  heartbeat: 15_000,
  recheck: 5000,
  goodbye: 2000,
}
