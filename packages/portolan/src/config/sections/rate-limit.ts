import { z } from 'zod'
import { described, said } from '../scalars.ts'

/** How many requests a service, or a route, takes. */
export const rateLimit = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether the limit holds.'),
  qps: z.number().positive().max(1e9).describe('Requests a second; may be a fraction.'),
  burst: z
    .int()
    .min(0)
    .max(1e9)
    .optional()
    .describe('Requests that may come at once, after a quiet time; 0 is 1, since a request needs one.')
    .meta({ unset: 'what comes in a tenth of a second, at least 1' }),
  strategy: z.enum(['token-bucket']).default('token-bucket').describe('How it is counted.'),
  by: z
    .string()
    .regex(/^(?:client|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128})$/, {
      error: issue => said(`${described(issue.input)} is nothing to limit by`, 'write client or header:NAME'),
    })
    .optional()
    .describe(
      'Whom the limit is for: each `client` by its address, or each value of `header:NAME`, by itself.',
    )
    .meta({ unset: 'all requests together' }),
})
