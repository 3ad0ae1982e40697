import { z } from 'zod'
import { described, durationOrNone, name, requestKey, said, sizeOrNone } from '../scalars.ts'
import { authHook } from './auth-hook.ts'
import { rateLimit } from './rate-limit.ts'
import { routeRetry } from './retry.ts'
import { urlPath } from './url-path.ts'

const match = z
  .strictObject({
    host: z
      .string()
      .max(255)
      .regex(/^(?:\*\.)?(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~%!$&'()+,;=-]+)$/, {
        error: issue =>
          said(
            `${described(issue.input)} is not a host`,
            'write shop.example, or *.shop.example for all hosts below it; no scheme, no port',
          ),
      })
      .optional()
      .describe(
        'The request’s host, without its port, in any case; `*.example.org`: every host below example.org.',
      )
      .meta({ unset: 'any' }),
    path: urlPath
      .optional()
      .describe('Prefix of the request’s path, by whole segments.')
      .meta({ unset: 'any' }),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, said('not a header name')),
        z
          .string()
          .max(1024)
          .regex(/^(?!\s)\P{Cc}*(?<!\s)$/u, {
            error: issue =>
              said(
                `${described(issue.input)} can be no header’s value`,
                'no line breaks, and no white space around it',
              ),
          }),
      )
      .optional()
      .describe(
        'Headers that the request must carry, all of them, with their exact values; names in any case.',
      )
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

const weighted = z.strictObject({
  service: name.describe('A service that gets a share of the requests.'),
  namespace: name.default('default').describe('The service’s namespace.'),
  weight: z
    .int({
      error: ({ code }) =>
        code === 'too_small' || code === 'too_big'
          ? undefined
          : said('a weight is a whole number', 'write 5 and 95, say: no percent sign'),
    })
    .min(0, said('a weight is at least 0', 'write 0 for a service that is to get nothing'))
    .max(1_000_000)
    .describe('Its share, as a part of all weights together; 0: nothing.'),
})

const split = z
  .array(weighted)
  .min(1)
  .max(100)
  .superRefine((sides, context) => {
    const seen = new Set<string>()
    for (const [index, { service, namespace }] of sides.entries()) {
      const key = `${namespace}/${service}`
      if (seen.has(key))
        context.addIssue({ code: 'custom', path: [index], message: said(`${service} is here twice`) })
      seen.add(key)
    }
    if (sides.every(({ weight }) => weight === 0))
      context.addIssue({
        code: 'custom',
        message: said('all weights are 0', 'somebody has to take the requests'),
      })
  })

const newHost = z
  .string()
  .max(261)
  .regex(
    /^(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~-]+)(?::[0-9]{1,5})?$/,
    said('not a host', 'write shop.example or shop.example:8443'),
  )

const rewrite = z.strictObject({
  path: urlPath
    .optional()
    .describe('Replaces the prefix that `match.path` names.')
    .meta({ unset: 'the path as it came' }),
  host: newHost.optional().describe('The Host that instances see.').meta({ unset: 'the Host as it came' }),
})

const redirect = z
  .strictObject({
    to: z
      .string()
      .max(2048)
      .regex(/^(?:https?:\/\/|\/)[!-~]*$/, said('not a place to go to', 'write https://HOST/PATH or /PATH'))
      .optional()
      .describe('The whole address, for all requests the same.'),
    path: urlPath
      .optional()
      .describe('Replaces the prefix that `match.path` names.')
      .meta({ unset: 'the path as it came' }),
    host: newHost
      .optional()
      .describe('Another host, with its port.')
      .meta({ unset: 'the host that was asked' }),
    scheme: z
      .enum(['http', 'https'])
      .optional()
      .describe('Another scheme; the host’s port is left out then.')
      .meta({ unset: 'the scheme that the client uses' }),
    status: z
      .literal([301, 302, 307, 308])
      .default(308)
      .describe('308 and 307 keep the method, 308 and 301 are for good.'),
  })
  .superRefine(({ to, path, host, scheme }, context) => {
    const parts = [path, host, scheme].some(part => part !== undefined)
    if (to === undefined && !parts)
      context.addIssue({
        code: 'custom',
        message: said('a redirect to the same place', 'write to, path, host or scheme'),
      })
    if (to !== undefined && parts)
      context.addIssue({
        code: 'custom',
        message: said('`to` is the whole address', 'leave out path, host and scheme'),
      })
  })

/** One entry of `gateway.routes`. */
export const route = z
  .strictObject({
    match,
    service: name.optional().describe('The service that gets the requests.'),
    namespace: name.default('default').describe('The service’s namespace.'),
    split: split.optional().describe('In place of `service`: several that get a share each, for canaries.'),
    splitBy: requestKey
      .optional()
      .describe(
        'Requests with the same key stay on one side of `split`: `address` of the client, `header:NAME` or `cookie:NAME`.',
      )
      .meta({ unset: 'by chance, each request anew' }),
    rewrite: rewrite.optional().describe('What instances are asked for in place of what the client wrote.'),
    timeout: durationOrNone
      .optional()
      .describe(
        'How long a request may take until its answer begins, second tries included; `none`, or 0: as long as it takes.',
      )
      .meta({ unset: 'as the service says' }),
    maxBody: sizeOrNone
      .optional()
      .describe('How large a request’s body may be; larger ones get 413. `none`: as large as it comes.')
      .meta({ unset: 'as `gateway.maxBody` says' }),
    retry: routeRetry
      .optional()
      .describe('When requests by this route are tried again; what is absent is as the service says.'),
    auth: z
      .union([z.literal('none'), authHook])
      .optional()
      .describe('Who is asked whether a request by this route may pass; `none`: nobody.')
      .meta({ unset: 'as the service says' }),
    redirect: redirect.optional().describe('In place of `service`: where the client is sent.'),
    rateLimit: rateLimit
      .optional()
      .describe('How many requests each gateway takes by this route; beyond, 429.'),
  })
  .superRefine((one, context) => {
    const ways = [one.service, one.split, one.redirect].filter(value => value !== undefined)
    if (ways.length !== 1)
      context.addIssue({
        code: 'custom',
        message: said(
          ways.length === 0 ? 'a route goes nowhere' : 'a route goes one way',
          'write one of service, split and redirect',
        ),
      })
    if (one.splitBy !== undefined && one.split === undefined)
      context.addIssue({
        code: 'custom',
        path: ['splitBy'],
        message: said('there is no split that it could divide'),
      })
    if (one.rateLimit !== undefined && one.redirect !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['rateLimit'],
        message: said('a redirect is not limited', 'it asks no instance'),
      })
    if (one.redirect === undefined) return
    for (const key of ['rewrite', 'timeout', 'maxBody'] as const) {
      if (one[key] === undefined) continue
      const hint = key === 'rewrite' ? 'write redirect.path or redirect.host' : `leave out ${key}`
      context.addIssue({ code: 'custom', path: [key], message: said('a redirect asks no instance', hint) })
    }
  })
