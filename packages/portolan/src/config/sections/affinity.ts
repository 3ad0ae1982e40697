import { z } from 'zod'
import { duration, said } from '../scalars.ts'

/** How clients are held to the instance that answered them first. */
export const affinity = z
  .strictObject({
    cookie: z
      .string()
      .regex(
        /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/,
        said('not a cookie’s name', 'letters, digits and marks like "-", "_" and "."; no blanks'),
      )
      .describe('The name of the cookie by which gateways know where a client belongs: one of its own.'),
    maxAge: duration
      .optional()
      .describe('How long clients keep the cookie, from when they get it.')
      .meta({ unset: 'until the browser is closed' }),
    path: z
      .string()
      .regex(/^\/[!-:<-~]*$/, said('a cookie’s path begins with "/" and has no ";"'))
      .max(1024)
      .default('/')
      .describe('Where clients send it: below this path.'),
    domain: z
      .string()
      .regex(
        /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/,
        said('not a domain', 'write shop.example: no scheme, no dot before it, no port'),
      )
      .max(253)
      .optional()
      .describe('Send it to all hosts of that domain.')
      .meta({ unset: 'to the host that was asked' }),
    sameSite: z
      .enum(['lax', 'strict', 'none'])
      .default('lax')
      .describe(
        'Whether browsers send it when another site asks: `lax` when a link is followed, `none`: always.',
      ),
    secure: z.boolean().default(false).describe('Have browsers send it over TLS alone.'),
  })
  .superRefine(({ cookie, path, domain, sameSite, secure }, context) => {
    const refuse = (key: string, what: string, hint: string): void =>
      context.addIssue({ code: 'custom', path: [key], message: said(what, hint) })
    if (sameSite === 'none' && !secure)
      refuse(
        'sameSite',
        'browsers take no cookie that is SameSite=None and not Secure',
        'write secure: true, too',
      )
    if (/^__(?:secure|host)-/i.test(cookie) && !secure)
      refuse('cookie', 'browsers take a cookie of that name only with Secure', 'write secure: true, too')
    if (/^__host-/i.test(cookie) && (path !== '/' || domain !== undefined))
      refuse(
        'cookie',
        'browsers take a __Host- cookie only with the path "/" and no domain',
        'leave them out',
      )
  })
