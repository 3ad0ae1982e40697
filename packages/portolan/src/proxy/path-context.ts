import type { Clock, GatewayLimits, LocalBalancer, Random, ServiceName } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import { AuthHooks } from './auth/auth-hooks.ts'
import { ByteWriter, RequestHead, ResponseHead } from './codec/codec.ts'
import { DateLine } from './date-line.ts'
import type { Deadlines } from './deadlines.ts'
import { FreeList } from './free-list.ts'
import { AccessLog } from './journal/access-log.ts'
import { Tracer } from './journal/tracer.ts'
import { countDescriptors as countOwn, type DescriptorCount, Descriptors } from './limits/descriptors.ts'
import { Memory } from './limits/memory.ts'
import { gatewayName } from './mark.ts'
import type { GatewayMetrics } from './metrics.ts'
import { Outbox } from './outbox.ts'
import { RouteLimits } from './rate/route-limits.ts'
import { Ticks } from './rate/ticks.ts'
import type { GatewaySettings } from './settings.ts'

/** What all connections of one gateway share. */
export interface PathContext {
  readonly settings: GatewaySettings
  /** What this gateway is called in its marks on requests. */
  readonly gateway: string
  readonly clock: Clock
  /** For answers that say nothing of when they were made. */
  readonly date: DateLine
  readonly random: Random
  readonly deadlines: Deadlines
  readonly metrics: GatewayMetrics
  readonly log: Log
  readonly accessLog: AccessLog
  readonly tracer: Tracer
  readonly authHooks: AuthHooks
  /** The service of that name, for who has to ask one; set by who has them. */
  lookUp: (name: ServiceName) => { readonly balancer: LocalBalancer } | undefined
  /** Where outgoing bytes are gathered. Empty between events: who fills it, sends it within the same call. */
  readonly out: ByteWriter
  /** Requests on their way to instances, until the end of the loop's turn. */
  readonly outbox: Outbox
  /** Where every connection is read into: what is in it is used, or copied, before the next read. */
  readonly inbox: Buffer
  /** Heads that nobody reads just now. */
  readonly requestHeads: FreeList<RequestHead>
  readonly responseHeads: FreeList<ResponseHead>
  /** Those that hold now. */
  limits: GatewayLimits
  readonly routeLimits: RouteLimits
  readonly ticks: Ticks
  readonly memory: Memory
  readonly descriptors: Descriptors
  /** Set when the gateway closes: no connection is kept for another request. */
  draining: boolean
}

/** Reads of 64 KiB are what libuv itself takes. */
const inboxSize = 65_536

interface PathParts
  extends Pick<PathContext, 'settings' | 'clock' | 'random' | 'deadlines' | 'metrics' | 'log'> {
  /** Default: as the system counts them. */
  readonly countDescriptors?: (() => DescriptorCount) | undefined
}

export function openPathContext({ countDescriptors = countOwn, ...parts }: PathParts): PathContext {
  const { deadlines, metrics, settings } = parts
  const gateway = gatewayName()
  const path: PathContext = {
    ...parts,
    date: new DateLine(),
    accessLog: new AccessLog(parts),
    gateway,
    tracer: new Tracer({ ...parts, gateway }),
    authHooks: new AuthHooks(),
    lookUp: () => undefined,
    out: new ByteWriter(2 * inboxSize),
    outbox: new Outbox(),
    inbox: Buffer.allocUnsafeSlow(inboxSize),
    requestHeads: new FreeList(() => new RequestHead()),
    responseHeads: new FreeList(() => new ResponseHead()),
    routeLimits: new RouteLimits(parts.clock),
    ticks: new Ticks(),
    limits: settings.limits,
    memory: new Memory(() => path.limits.memory),
    descriptors: new Descriptors(
      countDescriptors,
      () => metrics.connections + metrics.leaving + metrics.upstreamConnections,
      () => deadlines.now,
    ),
    draining: false,
  }
  deadlines.add(path.memory)
  deadlines.add(path.descriptors)
  return path
}

/** More than this in a socket's own queue, and whoever feeds it has to wait. */
export const congestedAbove = 65_536
