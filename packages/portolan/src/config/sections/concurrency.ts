import { concurrencyDefaults } from '@portolan/core'
import { z } from 'zod'
import { said } from '../scalars.ts'

/** How many requests to a service each gateway lets be under way, found out by itself. */
export const concurrency = z
  .strictObject({
    min: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(concurrencyDefaults.min)
      .describe('So many may always be under way from one gateway.'),
    max: z.int().min(1).max(1_000_000).default(concurrencyDefaults.max).describe('Never more than so many.'),
    tolerance: z
      .number()
      .min(1)
      .max(10)
      .default(concurrencyDefaults.tolerance)
      .describe(
        'By so much longer than without load, as a factor, answers may take before fewer are let in.',
      ),
    lowPriority: z
      .strictObject({
        header: z
          .string()
          .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, said('not a header name'))
          .describe('Where requests say how much they matter.'),
        values: z.array(z.string().min(1).max(256)).min(1).max(100).describe('What those say that can wait.'),
      })
      .optional()
      .describe('Requests that get four fifths of the limit at most, so that the others find room.')
      .meta({ unset: 'all are alike' }),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], error: said('min is greater than max') })
