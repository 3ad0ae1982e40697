import type { Clock, Route } from '@portolan/core'
import { type AdjustableLimiter, type Limiter, limiterOf } from './limiter.ts'

/** The limits of routes: they go on over a new route table, as long as it has a route that matches the same. */
export class RouteLimits {
  readonly #clock: Clock
  #limiters = new Map<string, AdjustableLimiter>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Goes by the routes of that table from now on. */
  configure(routes: readonly Route[]): void {
    const now = this.#clock.now()
    const before = this.#limiters
    this.#limiters = new Map()
    for (const route of routes) {
      const { rateLimit } = route
      const key = keyOf(route)
      // Of two routes that match the same, the second never gets a request.
      if (rateLimit === undefined || this.#limiters.has(key)) continue
      const known = before.get(key)
      known?.configure(rateLimit, now)
      const limiter = known ?? limiterOf(rateLimit, now)
      if (limiter !== undefined) this.#limiters.set(key, limiter)
    }
  }

  of(route: Route | undefined): Limiter | undefined {
    return route?.rateLimit === undefined ? undefined : this.#limiters.get(keyOf(route))
  }
}

function keyOf({ match, rateLimit }: Route): string {
  return JSON.stringify([match, rateLimit?.by])
}
