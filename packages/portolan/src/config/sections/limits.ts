import { formatDuration, limitDefaults } from '@portolan/core'
import { z } from 'zod'
import { duration } from '../scalars.ts'

/** What one gateway puts up with, whatever service it is about. */
export const limits = z.strictObject({
  connections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(limitDefaults.connections)
    .describe('Client connections open at once.'),
  poolIdle: duration
    .prefault(formatDuration(limitDefaults.poolIdleMs))
    .describe(
      'How long idle connections to instances are kept, unless an instance says that it keeps them for less.',
    ),
  poolMaxLifetime: duration
    .prefault(formatDuration(limitDefaults.poolMaxLifetimeMs))
    .describe(
      'How old connections to instances grow, a tenth more or less: then they are renewed between two requests.',
    ),
})
