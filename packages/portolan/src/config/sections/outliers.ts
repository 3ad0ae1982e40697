import { z } from 'zod'
import { said } from '../scalars.ts'

/** What the gateway's own requests may do to its picks. */
export const outliers = z.strictObject({
  consecutive5xx: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(5)
    .describe('Failures in a row, answers 500, 502, 503 and 504 among them, that take it out; 0 = never.'),
  keepAtLeast: z
    .int({ error: said('a number of instances', 'write a whole number: no percentage') })
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('So many healthy instances stay, whatever they answer.')
    .meta({ unset: 'half of them, rounded up' }),
  slowerThan: z
    .number()
    .min(2, { error: said('less than twice as slow is nothing to go by', 'write 5, say, or leave it out') })
    .max(1_000_000)
    .optional()
    .describe('Takes out whose mean answer takes so many times as long as the median instance’s.')
    .meta({ unset: 'never: a slow instance gets less by itself' }),
})
