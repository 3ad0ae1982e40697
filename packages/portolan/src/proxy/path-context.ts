import type { Clock } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import { ByteWriter } from './codec/codec.ts'
import type { Deadlines } from './deadlines.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { GatewaySettings } from './settings.ts'

/** What all connections of one gateway share. */
export interface PathContext {
  readonly settings: GatewaySettings
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly metrics: GatewayMetrics
  readonly log: Log
  /** Where outgoing bytes are gathered. Empty between events: who fills it, sends it within the same call. */
  readonly out: ByteWriter
  /** Where every upstream connection is read into: what is in it is used, or copied, before the next read. */
  readonly inbox: Buffer
  /** Set when the gateway closes: no connection is kept for another request. */
  draining: boolean
}

/** Reads of 64 KiB are what libuv itself takes. */
const inboxSize = 65_536

export function openPathContext(parts: Omit<PathContext, 'out' | 'inbox' | 'draining'>): PathContext {
  return {
    ...parts,
    out: new ByteWriter(2 * inboxSize),
    inbox: Buffer.allocUnsafeSlow(inboxSize),
    draining: false,
  }
}

/** More than this in a socket's own queue, and whoever feeds it has to wait. */
export const congestedAbove = 65_536
