import type { Milliseconds } from '../time/clock.ts'

/** By what clients are held to the instance that answered them first: a cookie that gateways issue. */
export interface AffinitySettings {
  /** Its name. */
  readonly cookie: string
  /** Default: until the browser is closed. */
  readonly maxAgeMs?: Milliseconds
  /** Default `/`. */
  readonly path?: string
  /** Default: the host that was asked, and no other. */
  readonly domain?: string
  /** Default `lax`. */
  readonly sameSite?: 'lax' | 'strict' | 'none'
  /** Whether browsers send it over TLS alone. Default false. */
  readonly secure?: boolean
  /**
   * With what cookies are signed, base64url, of this service alone: the first signs, what the others signed holds too.
   * Gateways get them, the HTTP API shows them to nobody. Default: one that each gateway makes for itself.
   */
  readonly keys?: readonly string[]
}
