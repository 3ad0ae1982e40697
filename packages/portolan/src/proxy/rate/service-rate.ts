import type { Clock, RateLimitSettings } from '@portolan/core'
import { type AdjustableLimiter, type Limiter, limiterOf } from './limiter.ts'

/** The limit of one service, over all changes of its numbers. */
export class ServiceRate {
  readonly #clock: Clock
  #by: string | undefined
  #limiter: AdjustableLimiter | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get limiter(): Limiter | undefined {
    return this.#limiter
  }

  configure(settings: RateLimitSettings | undefined): void {
    const now = this.#clock.now()
    if (settings === undefined) this.#limiter = undefined
    else if (this.#limiter !== undefined && settings.by === this.#by) this.#limiter.configure(settings, now)
    else this.#limiter = limiterOf(settings, now)
    this.#by = settings?.by
  }
}
