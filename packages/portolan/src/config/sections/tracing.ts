import { z } from 'zod'
import { said } from '../scalars.ts'

const example = 'write http://HOST:PORT, as http://127.0.0.1:4318'

/** A receiver's URL; one without a path gets the path that OTLP names. */
const endpoint = z
  .string()
  .max(2048)
  .transform((text, context): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      context.addIssue({ code: 'custom', message: said('not the URL of a receiver', example) })
      return z.NEVER
    }
    if (url.username !== '' || url.password !== '' || url.hash !== '') {
      context.addIssue({
        code: 'custom',
        message: said('a receiver’s URL has no user and no fragment', example),
      })
      return z.NEVER
    }
    if (url.pathname === '/') url.pathname = '/v1/traces'
    return url.href
  })

/** How gateways take part in traces. */
export const tracing = z.strictObject({
  endpoint: endpoint
    .optional()
    .describe(
      'The receiver of spans (an OpenTelemetry collector, say), by OTLP over HTTP; `/v1/traces` unless it has a path.',
    )
    .meta({ unset: 'gateways take no part in traces, and pass their headers on as they are' }),
  sample: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('The share of traces that are recorded, of those that begin at the gateway.'),
  serviceName: z
    .string()
    .min(1)
    .max(255)
    .default('portolan-gateway')
    .describe('What gateways are called in traces.'),
})
