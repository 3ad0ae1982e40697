import { formatDuration, formatHostPort, policyNames, slowStartDefaultMs } from '@portolan/core'
import { z } from 'zod'
import {
  described,
  duration,
  durationOrNone,
  memberAddress,
  portNumber,
  requestKey,
  said,
} from '../scalars.ts'
import { affinity } from './affinity.ts'
import { authHook } from './auth-hook.ts'
import { circuitBreaker } from './circuit-breaker.ts'
import { concurrency } from './concurrency.ts'
import { healthChecks } from './health-checks.ts'
import { outliers } from './outliers.ts'
import { rateLimit } from './rate-limit.ts'
import { serviceRetry } from './retry.ts'

const quoted = z.string({
  error: issue => (typeof issue.input === 'string' ? undefined : said('expected text', 'put it in quotes')),
})

const factor = (issue: { readonly input?: unknown }): string =>
  said(
    `${described(issue.input)} is no factor from 1 to 10`,
    typeof issue.input === 'number' && issue.input > 100 && issue.input <= 1000
      ? `it is no percentage here: write ${issue.input / 100}`
      : 'write 1.25 for no more than 1.25 times its share',
  )

/** Envoy and HAProxy have it by this name, in percent. */
const hashBalanceFactor = z.number({ error: factor }).min(1, { error: factor }).max(10, { error: factor })

const run = z
  .strictObject(
    {
      command: z
        .array(quoted, {
          error: issue =>
            typeof issue.input === 'string'
              ? said('a command is a list', 'write [node, app.mjs]: no shell takes words apart')
              : undefined,
        })
        .min(1)
        .max(1000)
        .describe('Program and arguments. No shell reads them.'),
      replicas: z.int().min(0).max(1000).default(1).describe('How many copies run.'),
      port: portNumber
        .optional()
        .describe('The port that the program opens, told to it as `PORT`. Only with one replica.')
        .meta({ unset: 'a free one for each copy' }),
      env: z
        .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, said('not a variable name')), quoted)
        .default({})
        .describe('Variables added to the program’s environment.'),
      cwd: z
        .string()
        .min(1)
        .optional()
        .describe('Folder that the program starts in, from the file’s own folder.')
        .meta({ unset: 'the file’s own folder' }),
      drainGrace: duration
        .prefault('5s')
        .describe('How long callers may take to let go of a copy before it is told to stop.'),
      stopGrace: duration
        .prefault('10s')
        .describe('How long a copy may take to end after SIGTERM before it gets SIGKILL.'),
      console: z
        .boolean()
        .default(false)
        .describe('Show its output on the terminal of `portolan up` too, not only in its log file.'),
    },
    {
      error: issue =>
        typeof issue.input === 'string'
          ? said(
              `expected a map of keys, got ${described(issue.input)}`,
              'write run: { command: [node, app.mjs] }',
            )
          : undefined,
    },
  )
  .refine(({ port, replicas }) => port === undefined || replicas <= 1, {
    path: ['port'],
    error: said(
      'several replicas cannot share one port',
      'leave `port` out: each copy gets a free one as PORT',
    ),
  })

const scaling = z
  .strictObject({
    min: z.int().min(0).max(10_000).default(1).describe('Never fewer replicas.'),
    max: z.int().min(1).max(10_000).describe('Never more replicas.'),
  })
  .refine(({ min, max }) => min <= max, {
    path: ['min'],
    error: said('min is greater than max'),
  })

const service = z.strictObject({
  instances: z
    .array(memberAddress)
    .max(10_000)
    .superRefine((members, context) => {
      const seen = new Set<string>()
      for (const [index, member] of members.entries()) {
        const address = formatHostPort(member.host, member.port)
        if (seen.has(address))
          context.addIssue({
            code: 'custom',
            path: [index],
            message: said(`${address} is here twice`),
          })
        seen.add(address)
      }
    })
    .default([])
    .describe('Static members: HOST:PORT of programs that do not register themselves.'),
  run: run.optional().describe('Started, registered and supervised by `portolan up`.'),
  expose: z
    .boolean()
    .default(false)
    .describe(
      'Reachable as `Host: NAME.portolan` when the gateway listens beyond loopback (on loopback all are).',
    ),
  balancer: z
    .strictObject({
      policy: z
        .enum(policyNames)
        .default('least-request')
        .describe('How the gateway picks among the instances.'),
      slowStart: durationOrNone
        .prefault(formatDuration(slowStartDefaultMs))
        .describe(
          'How long a new instance takes to its full share, while there are requests; `none`, or 0: at once.',
        ),
      subset: z
        .int()
        .min(0)
        .max(100_000)
        .default(0)
        .describe('Instances that one gateway picks among, of each zone and priority; 0: all.'),
      hashBy: requestKey
        .optional()
        .describe(
          'By what `ring-hash` and `maglev` pick: `address` of the client, `header:NAME` or `cookie:NAME`.',
        )
        .meta({ unset: 'by chance' }),
      hashBalanceFactor: hashBalanceFactor
        .optional()
        .describe(
          'How many times its share of the requests in flight an instance may have under `ring-hash`: strictly, so that keys leave home for it.',
        )
        .meta({ unset: '1.25, or three standard deviations of chance above its share where that is more' }),
      affinity: affinity
        .optional()
        .describe(
          'Have clients stay at the instance that answered them first, by a cookie of the gateway’s own.',
        )
        .meta({ unset: 'every request is picked for anew' }),
    })
    .prefault({})
    .describe('How requests are spread.'),
  healthChecks: healthChecks
    .optional()
    .describe('How the registry tests instances that name no checks of their own; `[]`: not at all.')
    .meta({ unset: 'a TCP check of the default port' }),
  outliers: outliers
    .prefault({})
    .describe('When a gateway stops picking an instance because of what its own requests found.'),
  circuitBreaker: circuitBreaker
    .prefault({})
    .describe(
      'How much of the service each gateway lets be under way at once; beyond, requests wait or get 503.',
    ),
  poolIdle: durationOrNone
    .optional()
    .describe(
      'How long idle connections to its instances are kept; `none`, or 0: each request has a connection of its own.',
    )
    .meta({ unset: '`gateway.limits.poolIdle`' }),
  timeout: duration
    .optional()
    .describe('How long a request may take until its answer begins, second tries included.')
    .meta({ unset: 'as long as it takes' }),
  rateLimit: rateLimit
    .optional()
    .describe('How many requests the service takes, through all gateways together; beyond, 429.'),
  concurrency: concurrency
    .optional()
    .describe(
      'Let each gateway find out how many requests may be under way, and turn the others away; `{}` does.',
    )
    .meta({ unset: 'as many as come' }),
  auth: authHook.optional().describe('Who is asked whether a request may pass.').meta({ unset: 'nobody' }),
  retry: serviceRetry.optional().describe('When requests are tried again, on another instance.'),
  scaling: scaling.optional().describe('How many replicas there may be.'),
})

const serviceKey = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9._-]{1,128}\/)?[A-Za-z0-9._-]{1,128}$/,
    said(
      'not a service name',
      'letters, digits, ".", "_" and "-"; outside the default namespace: NAMESPACE/NAME',
    ),
  )

export const servicesSection = z
  .record(serviceKey, service)
  .prefault({})
  .describe('What is known of services beforehand, by name; outside the default namespace `NAMESPACE/NAME`.')
