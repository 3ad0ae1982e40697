import type { Fault, Milliseconds } from '@portolan/core'

/** One message-wise connection to a registry, before anybody knows what the messages mean. */
export interface Wire {
  /** Ignored when the connection is not open any more. */
  send(text: string): void
  /** Says goodbye and closes; cut off after a second without an answer. */
  close(): void
  /** Cuts the connection at once. */
  cut(reason: Fault): void
}

/** What a wire tells its owner, never within the call of `dial`. `closed` comes exactly once, and nothing after it. */
export interface WireEvents {
  opened(): void
  received(text: string): void
  /** The registry's heartbeat, and the interval until the next one where the ping names it. */
  pinged(intervalMs: Milliseconds | undefined): void
  closed(fault: Fault): void
}

/** What TLS needs beyond the system's own authorities; all PEM. */
export interface TlsOptions {
  readonly ca?: string
  /** Our own certificate and its key, where the other side asks for one. */
  readonly cert?: string
  readonly key?: string
  /** The name to expect in the certificate, where it is not the address's. */
  readonly servername?: string
  /** False takes any certificate: for experiments only. Default true. */
  readonly rejectUnauthorized?: boolean
}

export interface DialOptions {
  readonly token: string | undefined
  /** How long the address may take to accept, … */
  readonly connectMs: Milliseconds
  /** … and how long TCP, TLS and the websocket's upgrade may take together. */
  readonly timeoutMs: Milliseconds
  readonly tls: TlsOptions | undefined
}

/** Opens a connection to `url` (ws: or wss:). Never throws: what goes wrong comes as `closed`. */
export type Dial = (url: string, options: DialOptions, events: WireEvents) => Wire
