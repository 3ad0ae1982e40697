import { breakerDefaults, formatDuration } from '@portolan/core'
import { z } from 'zod'
import { duration } from '../scalars.ts'

/** What one gateway lets be under way to a service at once. */
export const circuitBreaker = z.strictObject({
  connections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(breakerDefaults.connections)
    .describe(
      'Connections to one instance, busy and idle. A request that finds its instance full goes to another one.',
    ),
  pending: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(breakerDefaults.pending)
    .describe('Requests that wait for a connection when all instances are full; 0: none.'),
  requests: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Requests under way, those included that wait.')
    .meta({ unset: 'as many as come' }),
  queueTimeout: duration
    .prefault(formatDuration(breakerDefaults.queueTimeoutMs))
    .describe('How long a request waits for a connection.'),
})
