import { z } from 'zod'
import { duration, durationOrNone, name, said } from '../scalars.ts'

/** What belongs to the connection or to the message, and is nobody's to pass on. */
const ours =
  /^(?:connection|content-length|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|via|x-forwarded-.*|portolan-.*)$/i

const fieldName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, said('not a header name'))
  .refine(text => !ours.test(text), { error: said('a field that the gateway itself looks after') })

/** Who is asked whether a request may pass. */
export const authHook = z
  .strictObject({
    url: z
      .string()
      .max(2048)
      .refine(text => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
        error: said('not a URL', 'write http://HOST:PORT/PATH'),
      })
      .refine(text => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).hash === ''), {
        error: said('a hook’s URL has no user and no fragment'),
      })
      .optional()
      .describe('Who is asked, by its URL.'),
    service: name
      .optional()
      .describe('Who is asked, in place of `url`: an instance of that service, without TLS.'),
    namespace: name.default('default').describe('The namespace of that service.'),
    path: z
      .string()
      .regex(/^\/[!-~]*$/, said('a path begins with "/"'))
      .max(2048)
      .default('/')
      .describe('What that service is asked for.'),
    timeout: duration.prefault('1s').describe('How long it may take to answer.'),
    headers: z
      .array(fieldName)
      .max(50)
      .default(['authorization', 'cookie'])
      .describe('Headers of the request that are passed on to it.'),
    take: z
      .array(fieldName)
      .max(50)
      .default([])
      .describe(
        'Headers of its answer that instances get; the client’s own of these names never reach them.',
      ),
    failOpen: z.boolean().default(false).describe('Let requests pass when it does not answer.'),
    cacheFor: durationOrNone
      .prefault('none')
      .describe('How long its yes holds for requests with the same method, address, headers and client.'),
  })
  .refine(({ url, service }) => (url === undefined) !== (service === undefined), {
    error: said('nobody to ask, or two', 'write one of url and service'),
  })
