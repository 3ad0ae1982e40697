/**
 * What a request must look like, all of it at once; `{}` takes every request. A gateway that does not know one of the keys
 * must not send anything by the route: without that condition it would take requests that are not its own.
 */
export interface RouteMatch {
  /** Without its port, in any case; `*.example.org` is every host below example.org, and not that one. */
  readonly host?: string
  /** Prefix by whole segments. */
  readonly path?: string
  /** Names in any case; of several fields of one name any one may have the value, to the letter. */
  readonly headers?: Readonly<Record<string, string>>
  /** To the letter. */
  readonly method?: string
}

/** A service that gets its share of a route's requests. */
export interface WeightedService {
  readonly service: string
  readonly namespace?: string
  /** A whole number, 0 to 1,000,000. */
  readonly weight: number
}

/** What instances are asked for in place of what the client wrote. */
export interface Rewrite {
  /** Replaces the prefix that the route asked for. */
  readonly path?: string
  readonly host?: string
}

/** Where a client is sent instead of a service. */
export interface Redirect {
  /** The whole Location. What follows holds where this is absent, and leaves the rest of the request as it is. */
  readonly to?: string
  /** Replaces the prefix that the route asked for. */
  readonly path?: string
  /** With a port, where it has one. */
  readonly host?: string
  readonly scheme?: 'http' | 'https'
  /** Default 308: for good, and with the same method. */
  readonly status?: 301 | 302 | 307 | 308
}
