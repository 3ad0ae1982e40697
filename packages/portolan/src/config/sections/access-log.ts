import { z } from 'zod'
import { said } from '../scalars.ts'

/** What gateways write down of requests. */
export const accessLog = z.strictObject({
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('The share of requests that is written down, one JSON line each; 0: no access log at all.'),
  errors: z
    .boolean()
    .default(true)
    .describe(
      'Write down every answer from 500 on and every one that was cut, whatever `sample` says, unless it is 0.',
    ),
  query: z
    .boolean()
    .default(false)
    .describe('Write paths with their query. Queries often carry what nobody should read in a log.'),
  path: z
    .string()
    .max(4096)
    .regex(
      /^(?:stdout|\/[^\0]*[^/\0])$/,
      said('neither stdout nor an absolute path', 'write stdout, or /var/log/portolan/access.log'),
    )
    .default('stdout')
    .describe('Where to: `stdout`, or an absolute path on the machine of the gateway.'),
})
