import type { Milliseconds } from '@portolan/core'
import type { ServiceMetrics } from '../metrics.ts'
import { type Problem, problems } from '../problem.ts'
import type { Limiter } from '../rate/limiter.ts'
import type { Filter, RequestContext, Verdict } from './filter.ts'
import type { FilterEntry } from './station.ts'

export const rateLimit: FilterEntry = {
  name: 'rate-limit',
  why: 'before whatever costs something: a request that is too many must cost next to nothing',
  make({ path, route, service }) {
    const own = service.rate.limiter
    const ofRoute = path.routeLimits.of(route)
    const first = ofRoute ?? own
    if (first === undefined) return undefined
    return new RateLimitFilter(service.metrics, first, ofRoute === undefined ? undefined : own)
  },
}

/** Lets a request pass when both limits do: the route's, and the service's. */
class RateLimitFilter implements Filter {
  readonly #metrics: ServiceMetrics
  readonly #first: Limiter
  readonly #second: Limiter | undefined

  constructor(metrics: ServiceMetrics, first: Limiter, second: Limiter | undefined) {
    this.#metrics = metrics
    this.#first = first
    this.#second = second
  }

  request(request: RequestContext): Verdict {
    const now = request.startedAt
    if (!this.#first.tryTake(request, now)) return this.#refuse(this.#first.waitMs(request, now))
    const second = this.#second
    if (second === undefined || second.tryTake(request, now)) return undefined
    this.#first.putBack(request)
    return this.#refuse(second.waitMs(request, now))
  }

  #refuse(waitMs: Milliseconds): Problem {
    this.#metrics.limited++
    return retryAfter(waitMs)
  }
}

/** Nobody is told to come back later than that. */
const longestSeconds = 3600
const answers: (Problem | undefined)[] = []

/** Whole seconds, at least one (RFC 9110 section 10.2.3). */
function retryAfter(waitMs: Milliseconds): Problem {
  const seconds = Math.min(longestSeconds, Math.max(1, Math.ceil(waitMs / 1000)))
  const known = answers[seconds]
  if (known !== undefined) return known
  const answer = { ...problems.rateLimited, lines: `Retry-After: ${seconds}\r\n` }
  answers[seconds] = answer
  return answer
}
