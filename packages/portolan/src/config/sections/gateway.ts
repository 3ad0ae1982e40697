import { z } from 'zod'
import { listenAddress, network, oneOrMany, said, sizeOrNone } from '../scalars.ts'
import { accessLog } from './access-log.ts'
import { limits } from './limits.ts'
import { route } from './routes.ts'
import { tracing } from './tracing.ts'

export const gatewaySection = z
  .strictObject({
    listen: oneOrMany(listenAddress, 16)
      .optional()
      .describe('Where the gateway listens, one address or a list.')
      .meta({ unset: '127.0.0.1:7480 and, where present, [::1]:7480' }),
    admin: listenAddress
      .prefault('127.0.0.1:7481')
      .describe('Where the gateway’s own /metrics, /healthz and /readyz listen.'),
    zone: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe(
        'Where the gateway runs: instances of its own zone are preferred, as far as they can bear it.',
      )
      .meta({ unset: 'no zone is preferred' }),
    routes: z
      .array(route)
      .max(10_000)
      .default([])
      .describe('Which request goes to which service; the first match wins.'),
    accessLog: accessLog.prefault({}).describe('What each gateway writes down of requests.'),
    tracing: tracing
      .prefault({})
      .describe('How gateways take part in traces (W3C Trace Context, OpenTelemetry).'),
    limits: limits.prefault({}).describe('What holds for each gateway as a whole.'),
    maxBody: sizeOrNone
      .optional()
      .describe('How large a request’s body may be, where its route says nothing; larger ones get 413.')
      .meta({ unset: 'as large as it comes' }),
    via: z
      .string()
      .regex(
        /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/,
        said('not a name for Via', 'write letters, digits and hyphens, or none'),
      )
      .default('portolan')
      .describe('What gateways are called in the Via header of requests to instances; `none`: no Via.'),
    affinitySecret: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with what cookies of `affinity` are signed with, from the file’s own folder: a secret a line, of 32 characters or more. The first signs; what the others have signed, three at most, holds as well.',
      )
      .meta({ unset: 'a secret that is made once and kept with the data' }),
    trustedProxies: z
      .array(network)
      .max(1000)
      .default([])
      .describe('Addresses and networks whose X-Forwarded-* headers are kept; those of others are replaced.'),
  })
  .prefault({})
  .describe('The HTTP gateway.')
