import { formatDuration, limitDefaults } from '@portolan/core'
import { z } from 'zod'
import { duration, formatSize, size } from '../scalars.ts'

/** What one gateway puts up with, whatever service it is about. */
export const limits = z.strictObject({
  connections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(limitDefaults.connections)
    .describe('Client connections open at once.'),
  connectionsPerClient: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Of these, connections from one IPv4 address, or one IPv6 network of 64 bits; trusted proxies apart.',
    )
    .meta({ unset: 'as many as come' }),
  memory: size
    .prefault(formatSize(limitDefaults.memory))
    .describe('Bytes kept for peers, all in all: beyond, requests with bodies get 503 `overloaded`.'),
  minRate: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(limitDefaults.minRate)
    .describe(
      'Bytes a second that a client must send or take, over half a minute, while it is waited for; 0: any.',
    ),
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
