import type { RetrySettings, RouteTable } from '@portolan/core'
import type { Config } from './schema.ts'

type RetryConfig = NonNullable<Config['gateway']['routes'][number]['retry']>

/** As it travels to gateways: what the file leaves out stays out. */
export function retryOf({ attempts, perTryTimeout, on }: RetryConfig): RetrySettings {
  return {
    ...(attempts === undefined ? {} : { attempts }),
    ...(perTryTimeout === undefined ? {} : { perTryTimeoutMs: perTryTimeout }),
    ...(on === undefined ? {} : { on }),
  }
}

/** Those of services that say anything of it, by service key. */
export function serviceRetries(config: Config): Pick<RouteTable, 'retries'> {
  const chosen = Object.entries(config.services).flatMap(([key, { retry }]) =>
    retry === undefined ? [] : [[key, { ...retryOf(retry), budget: retry.budget }] as const],
  )
  return chosen.length === 0 ? {} : { retries: Object.fromEntries(chosen) }
}
