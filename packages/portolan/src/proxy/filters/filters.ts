import { accessLog } from './access-log.ts'
import { auth } from './auth.ts'
import { bodyLimit } from './body-limit.ts'
import { concurrency } from './concurrency.ts'
import { deadline } from './deadline.ts'
import { rateLimit } from './rate-limit.ts'
import { rewrite } from './rewrite.ts'
import type { FilterEntry } from './station.ts'
import { trace } from './trace.ts'

export type { FilterEntry, Station } from './station.ts'

/** All filters, in the order in which a request meets them. docs/gateway.md lists them, and a test keeps that true. */
export const filters: readonly FilterEntry[] = [
  accessLog,
  trace,
  deadline,
  rewrite,
  bodyLimit,
  rateLimit,
  auth,
  concurrency,
]
