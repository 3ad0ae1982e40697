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
  /** Default 100,000. */
  readonly instancesPerService: number
  /** Default 250,000. */
  readonly instancesPerOwner: number
}

export const defaultSettings: RegistrySettings = {
  leaseMs: 15_000,
  leaseCheckMs: 250,
  returnMs: 2500,
  instancesPerService: 100_000,
  instancesPerOwner: 250_000,
}
