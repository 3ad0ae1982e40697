import type { RateLimitSettings } from '@portolan/core'
import { type AdjustableLimiter, type Limiter, limiterOf } from './limiter.ts'
import { SharedLimiter, type SharedLimiterParts } from './shared-limiter.ts'

/** The limit of one service, over all changes of its numbers. */
export class ServiceRate {
  readonly #parts: SharedLimiterParts
  #by: string | undefined
  #limiter: AdjustableLimiter | undefined
  #shared: SharedLimiter | undefined

  constructor(parts: SharedLimiterParts) {
    this.#parts = parts
  }

  get limiter(): Limiter | undefined {
    return this.#limiter
  }

  /** Requests a second that this gateway may let pass of all together; `undefined`: no such limit. */
  get qps(): number | undefined {
    return this.#shared?.qps
  }

  configure(settings: RateLimitSettings | undefined): void {
    const now = this.#parts.clock.now()
    if (this.#limiter !== undefined && settings !== undefined && settings.by === this.#by) {
      this.#limiter.configure(settings, now)
      return
    }
    this.close()
    this.#by = settings?.by
    if (settings === undefined) return
    if (settings.by === undefined) this.#shared = new SharedLimiter(this.#parts, settings)
    this.#limiter = this.#shared ?? limiterOf(settings, now)
  }

  close(): void {
    this.#shared?.close()
    this.#shared = undefined
    this.#limiter = undefined
  }
}
