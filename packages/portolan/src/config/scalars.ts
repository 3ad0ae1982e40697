import { type HostPort, parseDuration, parseHostPort, parseNetwork, toFault } from '@portolan/core'
import { z } from 'zod'

/**
 * A message of the schema's own, with how to mend it on a second line: `problems.ts` takes the two apart.
 */
export function said(message: string, hint?: string): string {
  return hint === undefined ? message : `${message}\n${hint}`
}

const example = 'write HOST:PORT, as 127.0.0.1:8080, db.internal:8080 or "[::1]:8080"'

function hostPort(anyPort: boolean) {
  return z
    .string({
      error: issue => said(`expected an address, got ${described(issue.input)}`, example),
    })
    .transform((text, context): HostPort => {
      try {
        return parseHostPort(text, { anyPort })
      } catch (thrown) {
        const fault = toFault(thrown)
        context.addIssue({
          code: 'custom',
          message: said(fault.message, fault.hint),
        })
        return z.NEVER
      }
    })
}

/** An address to listen on; port 0 takes any free one. */
export const listenAddress = hostPort(true)

/** An address that something answers at. */
export const memberAddress = hostPort(false)

const durationHint = (input: unknown, otherwise: string): string =>
  (typeof input === 'number' && input > 0) || (typeof input === 'string' && /^\d+$/.test(input))
    ? `say the unit: ${input}s, or ${input}ms`
    : otherwise

const durationForms = 'write a number and a unit: 500ms, 3s, 5m, 1h'

/** A duration as people write it, in milliseconds from there on. */
export const duration = z
  .string({ error: issue => noDuration(issue.input, durationForms) })
  .transform((text, context): number => {
    const ms = millisecondsOf(text, context, durationForms)
    if (ms === 0) {
      context.addIssue({ code: 'custom', message: said('a duration must be longer than nothing') })
    }
    return ms
  })

const durationOrNoneForms = 'write a number and a unit (500ms, 3s, 5m, 1h), or none'

/** The same, or `none`; 0 is none too, whatever its unit. */
export const durationOrNone = z.preprocess(
  value => (value === 0 || value === '0' ? 'none' : value),
  z
    .string({ error: issue => noDuration(issue.input, durationOrNoneForms) })
    .transform((text, context): number =>
      text === 'none' ? 0 : millisecondsOf(text, context, durationOrNoneForms),
    ),
)

const noDuration = (input: unknown, forms: string): string =>
  said(`${described(input)} is not a duration`, durationHint(input, forms))

function millisecondsOf(text: string, context: z.RefinementCtx, forms: string): number {
  try {
    return parseDuration(text)
  } catch (thrown) {
    context.addIssue({
      code: 'custom',
      message: said(toFault(thrown).message, durationHint(text, forms)),
    })
  }
  return z.NEVER
}

const sizeUnits: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** An amount of memory as people write it, in bytes from there on. */
export const size = z
  .string({
    error: issue =>
      said(`${described(issue.input)} is not a size`, 'write a number and a unit: 64KiB, 256MiB, 2GiB'),
  })
  .transform((text, context): number => {
    const [, amount, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([KMG]iB|B)\s*$/.exec(text) ?? []
    const bytes = Math.round(Number(amount) * (sizeUnits[unit] ?? Number.NaN))
    if (bytes > 0 && bytes <= Number.MAX_SAFE_INTEGER) return bytes
    context.addIssue({
      code: 'custom',
      message: said(`${described(text)} is not a size`, 'write a number and a unit: 64KiB, 256MiB, 2GiB'),
    })
    return z.NEVER
  })

/** Bytes as {@link size} reads them, in the largest unit that says them in whole numbers. */
export function formatSize(bytes: number): string {
  const unit = ['GiB', 'MiB', 'KiB'].find(name => bytes % (sizeUnits[name] ?? 1) === 0) ?? 'B'
  return `${bytes / (sizeUnits[unit] ?? 1)}${unit}`
}

/** What services, instances, namespaces and tokens are called. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,128}$/,
    said('not a name', 'names are 1 to 128 letters, digits, ".", "_" and "-"'),
  )

export const portNumber = z.int().min(1).max(65_535)

/** An address or a CIDR block: `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`. */
export const network = z.string().refine(text => parseNetwork(text) !== undefined, {
  error: issue =>
    said(`${described(issue.input)} is no network`, 'write 10.0.0.0/8, 192.0.2.7 or "fd00::/8"'),
})

/** By what requests are told apart: `address`, `header:NAME` or `cookie:NAME`. */
export const requestKey = z
  .string()
  .regex(/^(?:address|(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128})$/, {
    error: issue =>
      said(`${described(issue.input)} is no key of requests`, 'write address, header:NAME or cookie:NAME'),
  })

/** The same as {@link size}, or `none`, which is 0. */
export const sizeOrNone = z.union([z.literal('none').transform(() => 0), size], {
  error: issue => said(`${described(issue.input)} is not a size`, 'write 64KiB, 10MiB or 1GiB, or none'),
})

/** Accepts one value where a list is expected. The JSON Schema says so too (see `reference.ts`). */
export function oneOrMany<T extends z.ZodType>(item: T, most: number) {
  const list = z.array(item).min(1).max(most)
  return z.preprocess(value => (Array.isArray(value) ? value : [value]), list).meta({ oneOrMany: true })
}

/** A value as an error message names it. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  const text = String(value)
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
