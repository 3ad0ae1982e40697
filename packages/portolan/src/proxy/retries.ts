import {
  type Endpoint,
  type Milliseconds,
  type PickContext,
  type RetrySettings,
  type Route,
  type RouteTable,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import { type FailedTry, isUnwritten } from './failures.ts'
import type { Failure } from './response-receiver.ts'
import type { Service } from './service.ts'

/** When requests by one route to one service are tried again, ready to be asked. */
export interface RetryRules {
  /** Further tries after the first. */
  readonly attempts: number
  /** The same where connections are refused: when several instances die together, one may refuse after the other. */
  readonly afterRefusals: number
  readonly perTryTimeoutMs: Milliseconds
  readonly refused: boolean
  readonly connect: boolean
  readonly reset: boolean
  readonly timeout: boolean
  /** `undefined`: whatever an instance answers is passed on. */
  readonly statuses: ReadonlySet<number> | undefined
}

const most = 10
const refusals = 3
const forever = Number.POSITIVE_INFINITY

/** The route's own rules before the service's. */
export function retryRules(route: Route | undefined, name: ServiceName, table: RouteTable): RetryRules {
  const key = serviceKey(name)
  const { retries = {} } = table
  return rulesOf({ ...(Object.hasOwn(retries, key) ? retries[key] : undefined), ...route?.retry })
}

/** What a newer registry may say that this gateway does not know, it does without. */
function rulesOf({ attempts, perTryTimeoutMs, on }: RetrySettings): RetryRules {
  const known =
    typeof attempts === 'number' && attempts >= 0 ? Math.min(most, Math.floor(attempts)) : undefined
  const isTimed = typeof perTryTimeoutMs === 'number' && perTryTimeoutMs > 0
  const reasons = new Set<unknown>(
    Array.isArray(on) ? on : ['refused', 'connect', 'reset', ...(isTimed ? ['timeout'] : [])],
  )
  const statuses = [...reasons].filter(
    (reason): reason is number => typeof reason === 'number' && reason >= 400,
  )
  return {
    attempts: known ?? 1,
    afterRefusals: known === 0 ? 0 : Math.max(refusals, known ?? 0),
    perTryTimeoutMs: isTimed ? perTryTimeoutMs : forever,
    refused: reasons.has('refused'),
    connect: reasons.has('connect'),
    reset: reasons.has('reset'),
    timeout: reasons.has('timeout'),
    statuses: statuses.length === 0 ? undefined : new Set(statuses),
  }
}

export const defaultRetryRules: RetryRules = rulesOf({})

/** What one exchange has spent on trying again. */
export class Retries {
  rules = defaultRetryRules
  /** Tries that failed, and those of them that failed otherwise than by a refusal, which takes no time and does nothing. */
  #failed = 0
  #paid = 0

  begin(rules: RetryRules): void {
    this.rules = rules
    this.#failed = 0
    this.#paid = 0
  }

  /** Whether what failed may be tried once more: nothing of it was sent, or it is idempotent and all of it is still at hand. */
  mayRetry(
    service: Service,
    now: Milliseconds,
    { connection, failure }: FailedTry,
    replayable: boolean,
  ): boolean {
    const { rules } = this
    if (connection.answering || this.#failed >= Math.max(rules.attempts, rules.afterRefusals)) return false
    if (failure === 'refused') return rules.refused && this.#pay(service, now)
    const isWanted = isUnwritten[failure] ? rules.connect : replayable && this.#isLoss(failure)
    if (!isWanted || this.#paid >= rules.attempts || !this.#pay(service, now)) return false
    this.#paid++
    return true
  }

  /** Whether the rules want another try after such an answer. */
  turnsDown(status: number): boolean {
    const { statuses, attempts } = this.rules
    return statuses?.has(status) === true && this.#paid < attempts
  }

  /** Picks somebody else for it, if there is anybody who has time: those that wait in line would have to wait longer. */
  elsewhere(service: Service, context: PickContext, now: Milliseconds): Endpoint | undefined {
    if (service.pools.hasLine) return undefined
    const next = service.balancer.pick(context)
    if (next === undefined) return undefined
    if (context.tried?.includes(next) === true || !this.#pay(service, now)) {
      service.balancer.cancelled(next)
      return undefined
    }
    this.#paid++
    service.metrics.retries++
    return next
  }

  #isLoss(failure: Failure): boolean {
    return (failure === 'lost' && this.rules.reset) || (failure === 'response-timeout' && this.rules.timeout)
  }

  #pay({ budget, metrics }: Service, now: Milliseconds): boolean {
    if (!budget.tryWithdraw(now)) {
      metrics.budgetExhausted++
      return false
    }
    this.#failed++
    return true
  }
}
