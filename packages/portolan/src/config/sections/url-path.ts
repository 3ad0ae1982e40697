import { z } from 'zod'
import { described, said } from '../scalars.ts'

/** A path as it stands in a request's first line: ASCII, escaped where it must be, without a query. */
export const urlPath = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    const flaw = flawOf(text)
    if (flaw !== undefined) context.addIssue({ code: 'custom', message: flaw })
  })
  // Editors check by it as they go.
  .meta({ pattern: '^/(?:[!-"$&->@-~]|%[0-9A-Fa-f]{2})*$' })

function flawOf(text: string): string | undefined {
  if (!text.startsWith('/')) return said('a path begins with "/"', 'write /cart, say')
  if (text.includes('?'))
    return said('a path has no query', 'leave out "?" and what follows; %3F is a "?" in a path')
  if (text.includes('#'))
    return said('a "#" and what follows is never sent', 'leave it out; %23 is a "#" in a path')
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/u.exec(text)?.[0]
  if (wrong !== undefined) return said(`${described(wrong)} is no escape`, 'write %25 for "%" itself')
  if (/[^!-~]/.test(text))
    return said(`${described(text)} is not written as paths are sent`, `escape it: ${escaped(text)}`)
  return undefined
}

function escaped(text: string): string {
  const shown = text.length > 80 ? text.slice(0, 80) : text
  return shown.replace(/[^!-~]/gu, character =>
    [...Buffer.from(character)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
