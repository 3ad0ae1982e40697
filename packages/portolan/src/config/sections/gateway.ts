import { z } from 'zod'
import { listenAddress, name, network, oneOrMany, said } from '../scalars.ts'
import { limits } from './limits.ts'

const match = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('The request’s host, without its port.')
      .meta({ unset: 'any' }),
    path: z
      .string()
      .regex(/^\//, said('a path begins with "/"'))
      .max(2048)
      .optional()
      .describe('Prefix of the request’s path, by whole segments.')
      .meta({ unset: 'any' }),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, said('not a header name')),
        z.string().max(1024),
      )
      .optional()
      .describe('Headers that the request must carry, with their exact values.')
      .meta({ unset: 'any' }),
    method: z
      .string()
      .regex(/^[A-Z]{1,20}$/, said('not a method', 'write it in capitals: GET'))
      .optional()
      .describe('The request’s method.')
      .meta({ unset: 'any' }),
  })
  .prefault({})
  .describe('What a request must look like; `{}` takes every request.')

const route = z.strictObject({
  match,
  service: name.describe('The service that gets the request.'),
  namespace: name.default('default').describe('The service’s namespace.'),
})

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
    limits: limits.prefault({}).describe('What holds for each gateway as a whole.'),
    trustedProxies: z
      .array(network)
      .max(1000)
      .default([])
      .describe('Addresses and networks whose X-Forwarded-* headers are kept; those of others are replaced.'),
  })
  .prefault({})
  .describe('The HTTP gateway.')
