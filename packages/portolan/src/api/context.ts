import type { Clock, RouteTable, Unsubscribe } from '@portolan/core'
import type { DeclaredAt } from '../config/declared.ts'
import type { Health } from '../health/health.ts'
import type { Log } from '../observe/log.ts'
import type { Access } from '../registry/access/access.ts'
import type { Registry } from '../registry/registry.ts'
import type { TargetGuard } from '../registry/targets.ts'
import type { ApiMetrics } from './metrics.ts'
import type { ApiLimits, ApiTimes } from './settings.ts'

/** Where gateways get their routes from: the configuration, now and after each reload. */
export interface RouteSource {
  readonly table: RouteTable
  /** `receive` is called at each change, not for the table of now. */
  subscribe(receive: (table: RouteTable) => void): Unsubscribe
}

/** What every part of the API works with. */
export interface ApiContext {
  readonly registry: Registry
  readonly access: Access
  /** Absent where nobody tests instances. */
  readonly health: Health | undefined
  readonly routes: RouteSource
  readonly declaredAt: DeclaredAt
  /** The keys of the configuration that wait for the next start. */
  readonly atNextStart: () => readonly string[]
  /** Asked of every registration that comes over the network. */
  readonly guardTargets: TargetGuard
  readonly log: Log
  readonly metrics: ApiMetrics
  readonly limits: ApiLimits
  readonly times: ApiTimes
  readonly clock: Clock
}
