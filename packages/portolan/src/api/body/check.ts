import { Fault } from '@portolan/core'
import { z } from 'zod'

/**
 * Checks what a peer sent against a schema.
 * @param hint what is right, for the caller
 * @throws Fault `invalid_request` that names the first places that are wrong
 */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
  hint?: string,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new Fault('invalid_request', `${what}: ${describe(result.error)}`, {
    source: 'caller',
    ...(hint === undefined ? {} : { hint }),
  })
}

const maxShown = 3

function describe(error: z.ZodError): string {
  const shown = error.issues.slice(0, maxShown).map(issue => {
    const path = z.core.toDotPath(issue.path)
    const text = issue.message.slice(0, 300)
    return path === '' ? text : `${path.slice(0, 200)}: ${text}`
  })
  const more = error.issues.length - shown.length
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '')
}
