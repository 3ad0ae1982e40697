import { z } from 'zod'
import { duration } from '../scalars.ts'

export const registrySection = z
  .strictObject({
    lease: duration
      .prefault('15s')
      .describe('How long a registration lives without a heartbeat, and after its session fell silent.'),
    drainGrace: duration
      .prefault('10s')
      .describe(
        'How long a drain waits for subscribers to stop picking the instance, unless the caller says.',
      ),
  })
  .prefault({})
  .describe('Leases and drains.')
