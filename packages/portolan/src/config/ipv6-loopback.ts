import { networkInterfaces } from 'node:os'

/** Whether this machine has ::1. */
export function hasIPv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'))
}
