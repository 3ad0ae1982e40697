import {
  type ConcurrencyLimiter,
  type ConcurrencyLimitSettings,
  type ConcurrencySettings,
  concurrencyDefaults,
  serviceKey,
} from '@portolan/core'
import { problems } from '../problem.ts'
import type { Service } from '../service.ts'
import type { Ending, Filter, RequestContext, Verdict } from './filter.ts'
import type { FilterEntry } from './station.ts'

/** Who has to stand back gets so much of the limit. */
const lowShare = 0.8

/** Turns away what would only make all others wait longer. A request has its place until its answer begins. */
class ConcurrencyFilter implements Filter {
  readonly #limiter: ConcurrencyLimiter
  readonly #service: Service
  readonly #now: () => number
  readonly #header: string | undefined
  readonly #low: ReadonlySet<string>

  constructor(service: Service, { lowPriority }: ConcurrencyLimitSettings, now: () => number) {
    this.#limiter = service.concurrency
    this.#service = service
    this.#now = now
    this.#header = lowPriority?.header.toLowerCase()
    this.#low = new Set(lowPriority?.values)
  }

  request(request: RequestContext): Verdict {
    const value = this.#header === undefined ? undefined : request.header(this.#header)
    const share = value !== undefined && this.#low.has(value) ? lowShare : 1
    if (!this.#limiter.tryTake(share)) {
      this.#service.metrics.shed++
      return problems.shed
    }
    request.placedAt = this.#now()
    return undefined
  }

  response(request: RequestContext, status: number): void {
    if (request.placedAt < 0) return
    const now = this.#now()
    // Errors are quick, and say nothing of how long work takes.
    if (status >= 500) this.#limiter.left()
    else this.#limiter.answered(now, now - request.placedAt)
    request.placedAt = -1
  }

  ended(request: RequestContext, { status }: Ending): void {
    if (request.placedAt < 0) return
    const now = this.#now()
    // It would have taken at least so long.
    if (status === 504) this.#limiter.answered(now, now - request.placedAt)
    else this.#limiter.left()
    request.placedAt = -1
  }
}

/** What a newer registry may say that is no number, it does without. */
export function limiterSettings({ min, max, tolerance }: ConcurrencyLimitSettings): ConcurrencySettings {
  const bounds = concurrencyDefaults
  const least = typeof min === 'number' && min >= 1 ? min : bounds.min
  return {
    min: least,
    max: Math.max(least, typeof max === 'number' && max >= 1 ? max : bounds.max),
    tolerance: typeof tolerance === 'number' && tolerance >= 1 ? tolerance : bounds.tolerance,
  }
}

export const concurrency: FilterEntry = {
  name: 'concurrency',
  why: 'innermost: only what would reach an instance counts, and only how long that takes',
  make({ path, service, table: { concurrency: settings = {} } }) {
    const key = serviceKey(service.name)
    const own = Object.hasOwn(settings, key) ? settings[key] : undefined
    if (own === undefined) return undefined
    service.concurrency.configure(limiterSettings(own))
    service.metrics.concurrency = service.concurrency
    return new ConcurrencyFilter(service, own, () => path.clock.now())
  },
}
