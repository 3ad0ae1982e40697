import {
  type CheckType,
  checkDefaults,
  formatDuration,
  metricName,
  shortestIntervalMs,
  suggestion,
} from '@portolan/core'
import { z } from 'zod'
import { described, duration, portNumber, said } from '../scalars.ts'

/** How the types of checks are written, and core's word for each. */
const typesByWord: Readonly<Record<string, CheckType>> = {
  TCP: 'tcp',
  HTTP: 'http',
  gRPC: 'grpc',
  Custom: 'script',
  TTL: 'ttl',
}

/** What one check may hold, whoever asks for it. */
export const checkLimits = {
  checks: 16,
  path: 2048,
  headers: 32,
  headerName: 128,
  headerValue: 1024,
  body: 1024,
  statuses: 16,
  service: 256,
  arguments: 100,
  argument: 4096,
  metric: 64,
  rise: 100,
  longestIntervalMs: 86_400_000,
} as const

/** The word for a type, whatever its case; `script` is what the API calls a Custom check. */
function typeOf(word: string): CheckType | undefined {
  const wanted = word.toLowerCase()
  const found = Object.entries(typesByWord).find(([name]) => name.toLowerCase() === wanted)
  return found?.[1] ?? (wanted === 'script' ? 'script' : undefined)
}

/** A type as people write it. */
export function typeWord(type: CheckType): string {
  return Object.entries(typesByWord).find(([, known]) => known === type)?.[0] ?? type
}

const words = Object.keys(typesByWord)

const type = z
  .string({
    error: issue =>
      issue.input === undefined
        ? said('this key is required and missing', `one of ${words.join(', ')}`)
        : undefined,
  })
  .transform((word, context): CheckType => {
    const known = typeOf(word)
    if (known !== undefined) return known
    const message = said(`${described(word)} is no type of check`, suggestion(word, words))
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .meta({ enum: words })

const checkId = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,64}$/,
    said('not the name of a check', '1 to 64 letters, digits, ".", "_" and "-"'),
  )

const path = z
  .string()
  // A second slash would begin the name of another host for whoever takes it as a reference (RFC 3986 section 4.2).
  .regex(
    /^\/(?![/\\])/,
    said('a path begins with one "/"', 'a check goes to the instance itself: name no host'),
  )
  .regex(
    /^[!"$-~]*$/,
    said('a path has no spaces, no "#" and nothing beyond ASCII', 'write them as %20, %23'),
  )
  .max(checkLimits.path)

const methods = ['GET', 'HEAD', 'OPTIONS', 'POST'] as const

/** They speak of the connection, or would frame the request anew: not for a check to say (RFC 9110 section 7.6.1). */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const headers = z
  .record(
    z
      .string()
      .regex(
        new RegExp(`^[!#$%&'*+.^_\`|~0-9A-Za-z-]{1,${checkLimits.headerName}}$`),
        said('not a header name'),
      )
      .refine(name => !connectionHeaders.has(name.toLowerCase()), {
        error: said('a header of the connection itself, not for a check to set'),
      }),
    z
      .string()
      .regex(/^[\t -~]*$/, said('a value of a header is one line of ASCII text'))
      .max(checkLimits.headerValue),
  )
  .refine(map => Object.keys(map).length <= checkLimits.headers, {
    error: said(`a check sends at most ${checkLimits.headers} headers`),
  })

type StatusRange = readonly [from: number, to: number]

const statusHint = 'write 200, "200-299", or a list of such'

function rangeOf(text: string): StatusRange | undefined {
  const [, from, to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? []
  return from !== undefined && Number(from) <= Number(to) ? [Number(from), Number(to)] : undefined
}

const status = z
  .union([z.int(), z.string()], {
    error: issue => said(`${described(issue.input)} is no status`, statusHint),
  })
  .transform((value, context): StatusRange => {
    const range = rangeOf(String(value))
    if (range !== undefined) return range
    context.addIssue({ code: 'custom', message: said(`${described(value)} is no status`, statusHint) })
    return z.NEVER
  })

const statuses = z
  .preprocess(
    value => (Array.isArray(value) ? value : [value]),
    z.array(status).min(1).max(checkLimits.statuses),
  )
  .meta({ oneOrMany: true })

const interval = duration
  .refine(ms => ms >= shortestIntervalMs, {
    error: said(`an interval is at least ${formatDuration(shortestIntervalMs)}`),
  })
  .refine(ms => ms <= checkLimits.longestIntervalMs, {
    error: said(`an interval is at most ${formatDuration(checkLimits.longestIntervalMs)}`),
  })

const argument = z
  .string()
  .regex(/^[^\0]*$/, said('a NUL ends the text'))
  .max(checkLimits.argument)

const degraded = z
  .strictObject({
    latency: duration
      .optional()
      .describe('Degraded while its answers take longer than this, as a moving average.')
      .meta({ unset: 'latency does not count' }),
    metric: z
      .string()
      .regex(
        metricName,
        said('not the name of a metric', '1 to 64 letters, digits, ".", "_", ":", "/" and "-"'),
      )
      .optional()
      .describe('A number that the check reports (output of a Custom check, report of a TTL check).')
      .meta({ unset: 'no metric counts' }),
    above: z
      .number()
      .optional()
      .describe('Degraded while `metric` is greater than this.')
      .meta({ unset: 'required with `metric`' }),
    weight: z
      .number()
      .gt(0)
      .lt(1)
      .default(checkDefaults.degradedWeight)
      .describe('What the instance’s weight is multiplied by meanwhile.'),
  })
  .superRefine(({ metric, above }, context) => {
    const complain = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message })
    if (metric !== undefined && above === undefined)
      complain('metric', said('above which value?', 'say above: 100'))
    if (metric === undefined && above !== undefined)
      complain('above', said('of which metric?', 'say metric: queue'))
  })

const fields = z.strictObject({
  type: type.describe('What is tested. Capitals or not.'),
  id: checkId
    .optional()
    .describe('What the check is called, unique among the instance’s checks.')
    .meta({ unset: 'its type, `http-2` for the second of a type' }),
  name: checkId.optional().describe('Another word for `id`.').meta({ unset: 'see `id`' }),
  port: z
    .union([portNumber, z.string().regex(/^[A-Za-z0-9._-]{1,128}$/, said('not the name of a port'))], {
      error: issue =>
        said(
          `${described(issue.input)} is no port`,
          'write its number, or the name that the instance gives it',
        ),
    })
    .optional()
    .describe('TCP, HTTP, gRPC: the port, by number or by the name that the instance gives it.')
    .meta({ unset: 'the instance’s default port' }),
  path: path.optional().describe('HTTP: what is asked for.').meta({ unset: '`/`' }),
  method: z.enum(methods).optional().describe('HTTP: how.').meta({ unset: '`GET`' }),
  headers: headers.optional().describe('HTTP: headers to send.').meta({ unset: 'none' }),
  expect: z
    .strictObject({
      status: statuses
        .optional()
        .describe('Statuses that pass: 200, "200-299", or a list of such.')
        .meta({ unset: '200-299' }),
      body: z
        .string()
        .min(1)
        .max(checkLimits.body)
        .optional()
        .describe('Text that the first 64 KiB of the body must contain.')
        .meta({ unset: 'any' }),
    })
    .optional()
    .describe('HTTP: what passes.'),
  tls: z
    .boolean()
    .optional()
    .describe('HTTP, gRPC: whether to speak TLS.')
    .meta({ unset: 'as the port says' }),
  verify: z
    .boolean()
    .optional()
    .describe('HTTP, gRPC: whether the instance’s certificate must be valid for its host.')
    .meta({ unset: '`true`' }),
  service: z
    .string()
    .regex(/^[!-~]*$/, said('not the name of a gRPC service'))
    .max(checkLimits.service)
    .optional()
    .describe('gRPC: the service that is asked for.')
    .meta({ unset: 'the whole server' }),
  script: argument
    .min(1)
    .optional()
    .describe('Custom: the program, from the file’s own folder. Status 0 passes, 1 warns, others fail.'),
  command: z
    .array(argument, {
      error: issue =>
        typeof issue.input === 'string'
          ? said('a command is a list', 'write [node, check.mjs]: no shell takes words apart')
          : undefined,
    })
    .min(1)
    .max(checkLimits.arguments)
    .optional()
    .describe('Custom: program and arguments, in place of `script`. No shell reads them.'),
  interval: interval
    .optional()
    .describe(
      'Time between two probes, kept unless `health.budget` is exceeded; TTL: how long one report holds.',
    )
    .meta({ unset: `\`${formatDuration(checkDefaults.intervalMs)}\`; required for TTL` }),
  timeout: duration
    .optional()
    .describe('When an answer comes too late. Less than the interval.')
    .meta({
      unset: `\`${formatDuration(checkDefaults.timeoutMs)}\`, Custom \`${formatDuration(checkDefaults.scriptTimeoutMs)}\`; at most half the interval`,
    }),
  rise: z
    .int()
    .min(1)
    .max(checkLimits.rise)
    .optional()
    .describe('Passes in a row until an instance that was out is back.')
    .meta({ unset: `\`${checkDefaults.rise}\`, TTL \`${checkDefaults.ttlRise}\`` }),
  degraded: degraded.optional().describe('When the instance gets less traffic without being out.'),
})

export const checkFields: readonly string[] = Object.keys(fields.shape)

/** Which fields belong to which types, where not to all. */
const ownFields = {
  port: ['tcp', 'http', 'grpc'],
  path: ['http'],
  method: ['http'],
  headers: ['http'],
  expect: ['http'],
  tls: ['http', 'grpc'],
  verify: ['http', 'grpc'],
  service: ['grpc'],
  script: ['script'],
  command: ['script'],
  timeout: ['tcp', 'http', 'grpc', 'script'],
} as const satisfies Readonly<Record<string, readonly CheckType[]>>

/** A check as it was written, every part of it sound; `config/checks.ts` makes core's noun of it. */
export type CheckSettings = z.output<typeof fields>

type Complain = (key: string, message: string) => void

function coherent(check: CheckSettings, complain: Complain): void {
  const word = typeWord(check.type)
  for (const [key, types] of Object.entries(ownFields)) {
    const isOwn = (types as readonly CheckType[]).includes(check.type)
    if (!isOwn && check[key as keyof typeof ownFields] !== undefined)
      complain(key, said(`a ${word} check has no ${key}`, `${key} is for ${types.map(typeWord).join(', ')}`))
  }
  if (check.id !== undefined && check.name !== undefined)
    complain('name', said('id and name are both given', 'they mean the same: keep one'))
  if (check.type === 'http' && check.method === 'HEAD' && check.expect?.body !== undefined)
    complain('expect', said('an answer to HEAD has no body', 'say method: GET, or expect its status alone'))
  if (check.type === 'script') {
    const { script, command } = check
    if (script === undefined && command === undefined)
      complain('script', said('a Custom check needs a script'))
    if (script !== undefined && command !== undefined)
      complain('command', said('script and command are both given', 'keep one of them'))
    if (command?.[0] === '') complain('command', said('a command begins with a program'))
  }
  coherentTimes(check, complain)
}

function coherentTimes({ type, interval, timeout, degraded }: CheckSettings, complain: Complain): void {
  const intervalMs = interval ?? checkDefaults.intervalMs
  if (type === 'ttl') {
    if (interval === undefined)
      complain('interval', said('a TTL check needs an interval', 'say how long one report holds: 10s'))
    if (degraded?.latency !== undefined)
      complain(
        'degraded',
        said('a TTL check has no latency', 'nobody waits for a report: say metric and above'),
      )
  } else if (timeout !== undefined && timeout >= intervalMs) {
    const [late, between] = [formatDuration(timeout), formatDuration(intervalMs)]
    complain(
      'timeout',
      said(`${late} is no less than the interval, ${between}`, 'one probe ends before the next'),
    )
  }
  const canWarn = type === 'script' || type === 'ttl'
  if (degraded !== undefined && degraded.latency === undefined && degraded.metric === undefined && !canWarn)
    complain('degraded', said('degraded when?', 'say latency: 250ms'))
  if (degraded?.metric !== undefined && !canWarn)
    complain('degraded', said(`a ${typeWord(type)} check reports no metric`, 'Custom and TTL checks do'))
}

/** One check as `healthChecks` and registrations write it. */
export const healthCheck = fields.superRefine((check, context) =>
  coherent(check, (key, message) => context.addIssue({ code: 'custom', path: [key], message })),
)

/** The checks of an instance. `[]` = none. */
export const healthChecks = z
  .array(healthCheck)
  // Also where single checks are wrong, and not instead of what is wrong with them.
  .refine(checks => !Array.isArray(checks) || checks.length <= checkLimits.checks, {
    error: `must be at most ${checkLimits.checks} entries`,
    when: () => true,
  })
  .meta({ maxItems: checkLimits.checks })
  .superRefine(
    (checks, context) => {
      if (!Array.isArray(checks)) return
      const seen = new Set<string>()
      for (const [index, check] of checks.entries()) {
        // It may be anything where it is wrong.
        const { id, name }: Partial<CheckSettings> = check ?? {}
        const given = id ?? name
        if (typeof given !== 'string') continue
        if (seen.has(given)) {
          const path = [index, id === undefined ? 'name' : 'id']
          context.addIssue({ code: 'custom', path, message: said(`another check is called "${given}"`) })
        }
        seen.add(given)
      }
    },
    { when: () => true },
  )
