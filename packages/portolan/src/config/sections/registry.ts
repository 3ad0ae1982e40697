import { z } from 'zod'
import { duration } from '../scalars.ts'

export const registrySection = z
  .strictObject({
    lease: duration
      .prefault('15s')
      .describe('How long a registration lives without a heartbeat, and after its session fell silent.'),
  })
  .prefault({})
  .describe('The registry itself.')
