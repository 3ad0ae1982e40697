import type { RateLimitSettings } from '@portolan/core'
import type { z } from 'zod'
import type { Config } from './schema.ts'
import type { rateLimit } from './sections/rate-limit.ts'

/** A limit as it travels to gateways; `undefined`: none holds. */
export function rateLimitOf(said: z.output<typeof rateLimit> | undefined): RateLimitSettings | undefined {
  if (said === undefined || !said.enabled) return undefined
  const { qps, burst = Math.max(1, Math.ceil(qps / 10)), by } = said
  return { qps, burst, ...(by === undefined ? {} : { by }) }
}

/** By service key. */
export function rateLimits({ services }: Config): Readonly<Record<string, RateLimitSettings>> {
  const found = Object.entries(services).flatMap(([key, service]) => {
    const limit = rateLimitOf(service.rateLimit)
    return limit === undefined ? [] : [[key, limit]]
  })
  return Object.fromEntries(found)
}
