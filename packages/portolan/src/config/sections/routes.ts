import { z } from 'zod'
import { described, name, said } from '../scalars.ts'

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

/** One entry of `gateway.routes`. */
export const route = z.strictObject({
  match,
  service: name.describe('The service that gets the request.'),
  namespace: name.default('default').describe('The service’s namespace.'),
})
