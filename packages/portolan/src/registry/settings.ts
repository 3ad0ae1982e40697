import type { Milliseconds } from '@portolan/core'

export interface RegistrySettings {
  /** How long a registration lives without renewal. Default 15 s. */
  readonly leaseMs: Milliseconds
  /** How often leases are looked at. Default 250 ms. */
  readonly leaseCheckMs: Milliseconds
  /**
   * After a start, drains wait so long at least for those who picked before it and have not connected again: a client
   * tries every 2 s. Default 2.5 s.
   */
  readonly returnMs: Milliseconds
  /**
   * For how long a service is known after its last instance has gone. A name that is being deployed anew must not be
   * answered with "there is no such name", which resolvers on the way keep for as long as they like; most deploys, a
   * rollback with them, are over within minutes. Default 5 min.
   */
  readonly rememberMs: Milliseconds
  /** Of services that have gone, so many are remembered: the last ones. Default 10,000. */
  readonly rememberMost: number
  /** Default 100,000. */
  readonly instancesPerService: number
  /** Default 250,000. */
  readonly instancesPerOwner: number
}

export const defaultSettings: RegistrySettings = {
  leaseMs: 15_000,
  leaseCheckMs: 250,
  returnMs: 2500,
  rememberMs: 300_000,
  rememberMost: 10_000,
  instancesPerService: 100_000,
  instancesPerOwner: 250_000,
}
