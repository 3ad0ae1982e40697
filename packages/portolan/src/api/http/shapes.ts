import { causeKinds, checkTypes, type Degraded, type Instance, portProtocols } from '@portolan/core'
import { z } from 'zod'
import { checkLimits } from '../../config/sections/health-checks.ts'
import type { CheckStanding, HealthEvent } from '../../health/health.ts'
import { every, verbs } from '../../registry/access/grants.ts'

/** The shapes of what travels over HTTP: requests are checked by them, and OpenAPI is written from them. */

const nameShape = /^[A-Za-z0-9._-]{1,128}$/
const nameHint = '1 to 128 characters of A-Z a-z 0-9 . _ -'

export const name = z.string().regex(nameShape, nameHint)
export const namespace = name.default('default').describe('Namespace; `default` where it is left out.')

export const inNamespace = z.strictObject({ namespace })
export const serviceParams = z.strictObject({ service: name })
export const instanceParams = z.strictObject({ service: name, id: name })

const flag = z.enum(['true', 'false']).transform(word => word === 'true')

export const instanceQuery = z.strictObject({
  namespace,
  healthy: flag.optional().describe('`true`: only instances without a cause; `false`: only those with one.'),
  zone: z.string().max(128).optional(),
  tag: z
    .union([z.string().max(256), z.array(z.string().max(256)).max(64)])
    .transform(tags => (typeof tags === 'string' ? [tags] : tags))
    .optional()
    .describe('Only instances with this tag; may be repeated.'),
})

export const targetQuery = instanceQuery.extend({
  namespace: namespace.unwrap().optional().describe('Default: every namespace.'),
  service: z
    .union([name, z.array(name).max(64)])
    .transform(services => (typeof services === 'string' ? [services] : services))
    .optional()
    .describe('Only instances of this service; may be repeated.'),
  port: name.optional().describe('The port of this name, or `all`. Default: the default port alone.'),
})

/** What Prometheus' `http_sd` reads. */
export const targetGroup = z.object({
  targets: z.array(z.string()).describe('HOST:PORT'),
  labels: z.record(z.string(), z.string()),
})

export type InstanceQuery = z.output<typeof instanceQuery>

export const yes = flag

export const cause = z.object({
  kind: z.enum(causeKinds),
  owner: z.string(),
  reason: z.string(),
  since: z.iso.datetime(),
})

export const port = z.object({
  name,
  number: z.int().min(1).max(65_535),
  protocol: z.enum(portProtocols),
  tls: z.boolean(),
})

const degraded = z.object({
  owner: z.string().describe('The id of the check.'),
  factor: z.number().describe('What the weight is multiplied by; the lowest counts.'),
  reason: z.string(),
  since: z.iso.datetime(),
})

export const instance = z.object({
  namespace: name,
  service: name,
  id: name,
  addresses: z.array(z.string()).min(1).max(8),
  ports: z.array(port).min(1).max(32),
  host: z.string().optional(),
  weight: z.number().min(0).max(1_000_000),
  zone: z.string().optional(),
  region: z.string().optional(),
  provider: z.string().optional(),
  version: z.string().optional(),
  tags: z.array(z.string()).max(64),
  metadata: z.record(z.string(), z.string()),
  source: z.string(),
  owner: z.string(),
  incarnation: z.int(),
  causes: z.array(cause),
  degraded: z.array(degraded).optional().describe('Why its weight is lowered.'),
})

/** Fails to compile when the documented shape and core's noun drift apart. */
type SameKeys = keyof z.output<typeof instance> extends keyof Instance
  ? keyof Instance extends keyof z.output<typeof instance>
    ? true
    : never
  : never
export const instanceShapeIsComplete: SameKeys = true

/** Read in full by the registry's own parser; here for the documentation. */
export const registration = z.object({
  address: z.string().optional().describe('Shorthand for one address. Default: the address of the caller.'),
  addresses: z.array(z.string()).min(1).max(8).optional(),
  port: z.int().min(1).max(65_535).optional().describe('Shorthand for one HTTP port.'),
  ports: z.array(z.union([z.int(), port.partial().required({ number: true })])).optional(),
  host: z.string().optional(),
  weight: z.number().min(0).max(1_000_000).optional(),
  zone: z.string().optional(),
  region: z.string().optional(),
  provider: z.string().optional(),
  version: z.string().optional(),
  tags: z.array(z.string()).max(64).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  checks: z
    .array(z.record(z.string(), z.unknown()))
    .max(checkLimits.checks)
    .optional()
    .describe(
      'Its health checks, in the words of `healthChecks` in the configuration, but no scripts; `[]`: none. Default: those that the configuration gives to the service, else a TCP check.',
    ),
})

export const instanceList = z.object({
  namespace: name,
  service: name,
  cursor: z.string().describe('epoch.revision of the set, also in the header Portolan-Revision.'),
  instances: z.array(instance),
})

export const serviceList = z.object({
  cursor: z.string(),
  services: z.array(
    z.object({ namespace: name, service: name, instances: z.int().min(0), healthy: z.int().min(0) }),
  ),
})

export const registered = z.object({
  incarnation: z.int(),
  cursor: z.string(),
  leaseMs: z.number().describe('A heartbeat is due before this is over.'),
})

export const override = z.strictObject({
  weight: z.number().min(0).max(1_000_000).optional().describe('In place of the registered weight.'),
  outOfService: z.boolean().optional().describe('Adds the cause `operator`.'),
  reason: z.string().max(1024).optional(),
})

const standing = z.object({
  id: z.string(),
  type: z.enum(checkTypes),
  aim: z
    .string()
    .describe('What it looks at: method, path and port; a port; a command. 256 characters at most.'),
  phase: z
    .enum(['new', 'passing', 'warning', 'suspect', 'critical'])
    .describe(
      '`new`: it has not run yet, and has no vote. `suspect`: it failed once, and is looked at again.',
    ),
  reason: z.string().describe('Empty while it passes.'),
  lastAt: z.iso.datetime().optional().describe('When it had its last result.'),
  latencyMs: z.number().optional(),
  output: z.string().optional().describe('The end of what it printed or answered, 4 KiB at most.'),
  metrics: z.record(z.string(), z.number()).optional(),
  intervalMs: z.number().describe('As asked for.'),
  keptIntervalMs: z.number().describe('As kept at the moment: longer where the budget stretches it.'),
  penalty: z.number().describe('For changing too often; it decays.'),
  heldUntil: z.iso.datetime().optional().describe('It is back not before its penalty has decayed.'),
})

const happening = z.object({
  at: z.iso.datetime(),
  by: z.string().describe('A check, or who reported.'),
  what: z.string(),
})

export const why = z.object({
  healthy: z.boolean(),
  causes: z.array(cause).describe('Why it gets no traffic; none = healthy.'),
  degraded: z.array(degraded).describe('Why it gets less than its share.'),
  checks: z.array(standing).describe('Its checks, as they stand.'),
  history: z.array(happening).describe('What happened to it, newest last; the last 32 are kept.'),
  instance,
})

/** Fails to compile when the documented shapes and the health plane's own drift apart. */
type Same<A, B> = keyof A extends keyof B ? (keyof B extends keyof A ? true : never) : never
export const whyShapeIsComplete: Same<z.output<typeof standing>, CheckStanding> &
  Same<z.output<typeof happening>, HealthEvent> &
  Same<z.output<typeof degraded>, Degraded> = true

const place = z.union([z.literal(every), name])

const grantShape = z.strictObject({
  verbs: z.array(z.enum(verbs)).min(1).max(verbs.length),
  namespace: place.default('default'),
  service: place.default(every),
  instance: place.default(every),
})

export const tokenRequest = z.strictObject({
  name: z.string().min(1).max(400).describe('Becomes the owner of what is registered with the token.'),
  grants: z.array(grantShape).min(1).max(64),
  expires: z.iso.datetime({ offset: true }).optional(),
})

export const token = z.object({
  id: z.string(),
  name: z.string(),
  grants: z.array(grantShape),
  expires: z.string().optional(),
  from: z.enum(['config', 'store']),
})

export const minted = token.extend({ secret: z.string().describe('Shown this once.') })

const rateLimit = z
  .object({
    qps: z.number(),
    burst: z.number(),
    by: z.string().optional().describe('`client` or `header:NAME`; absent: all requests together.'),
  })
  .describe('How many requests may pass.')

const authHook = z
  .record(z.string(), z.unknown())
  .describe('Who is asked whether a request may pass, and how.')

const retry = z.object({
  attempts: z.int().optional(),
  perTryTimeoutMs: z.number().optional(),
  on: z.array(z.union([z.string(), z.int()])).optional(),
})

const affinity = z
  .object({
    cookie: z.string(),
    maxAgeMs: z.number().optional(),
    path: z.string().optional(),
    domain: z.string().optional(),
    sameSite: z.string().optional(),
    secure: z.boolean().optional(),
  })
  .describe('The cookie by which clients stay at one instance.')

export const fileState = z.object({
  atNextStart: z
    .array(z.string())
    .describe('As `api.listen`: keys that the server reads at its start alone.'),
})

export const routeTable = z.object({
  routes: z.array(
    z.object({
      match: z.object({
        host: z.string().optional(),
        path: z.string().optional(),
        headers: z.record(z.string(), z.string()).optional(),
        method: z.string().optional(),
      }),
      service: name.optional(),
      namespace: name.optional(),
      split: z.array(z.object({ service: name, namespace: name.optional(), weight: z.int() })).optional(),
      splitBy: z.string().optional(),
      rewrite: z.object({ path: z.string().optional(), host: z.string().optional() }).optional(),
      redirect: z
        .object({
          to: z.string().optional(),
          path: z.string().optional(),
          host: z.string().optional(),
          scheme: z.string().optional(),
          status: z.int(),
        })
        .optional(),
      rateLimit: rateLimit.optional(),
      timeoutMs: z.number().optional(),
      maxBody: z.number().optional(),
      retry: retry.optional(),
      auth: z.union([z.literal('none'), authHook]).optional(),
    }),
  ),
  exposed: z.union([z.literal('all'), z.array(name)]),
  policies: z.record(z.string(), z.string()).optional().describe('Balancing policies by service key.'),
  concurrency: z
    .record(
      z.string(),
      z.object({
        min: z.int(),
        max: z.int(),
        tolerance: z.number(),
        lowPriority: z.object({ header: z.string(), values: z.array(z.string()) }).optional(),
      }),
    )
    .optional()
    .describe('Where gateways find out how many requests may be under way, by service key.'),
  auths: z.record(z.string(), authHook).optional().describe('By service key.'),
  retries: z
    .record(
      z.string(),
      retry.extend({ budget: z.object({ ratio: z.number(), minPerSecond: z.number() }).optional() }),
    )
    .optional()
    .describe('When requests are tried again, and what that may cost, by service key.'),
  balance: z
    .record(
      z.string(),
      z.object({
        slowStartMs: z.number().optional(),
        subset: z.int().optional(),
        hashBy: z.string().optional(),
        hashBalanceFactor: z.number().optional(),
      }),
    )
    .optional()
    .describe('Where slow start, subsets and keys differ from their defaults, by service key.'),
  affinity: z
    .record(z.string(), affinity)
    .optional()
    .describe('Whose clients stay where they were, by service key.'),
  maxBody: z.number().optional().describe('In bytes.'),
  trustedProxies: z.array(z.string()).optional().describe('Whose X-Forwarded-* headers are kept.'),
  via: z.string().optional().describe('What gateways are called in Via. Absent: `portolan`.'),
  timeouts: z.record(z.string(), z.number()).optional().describe('In milliseconds, by service key.'),
  poolIdle: z
    .record(z.string(), z.number())
    .optional()
    .describe('How long idle connections to instances are kept, in milliseconds, by service key; 0: not.'),
  outliers: z
    .record(z.string(), z.record(z.string(), z.number()))
    .optional()
    .describe('Where outlier detection differs from its defaults, by service key.'),
  rateLimits: z.record(z.string(), rateLimit).optional().describe('Rate limits by service key.'),
  breakers: z
    .record(z.string(), z.record(z.string(), z.number()))
    .optional()
    .describe('Where circuit breakers differ from their defaults, by service key.'),
  limits: z
    .record(z.string(), z.number())
    .optional()
    .describe('Where the limits of a gateway as a whole differ from their defaults.'),
  accessLog: z.record(z.string(), z.unknown()).optional().describe('Absent: gateways write no access log.'),
  tracing: z.record(z.string(), z.unknown()).optional().describe('Absent: gateways take no part in traces.'),
})

export const serviceSettings = z.object({
  namespace: name,
  service: name,
  balancer: z.object({
    policy: z.string(),
    slowStartMs: z.number().describe('How long a new instance takes to its full share; 0: none.'),
    subset: z.int().describe('Instances that one gateway picks among; 0: all.'),
    hashBy: z.string().optional().describe('What a request’s key is; absent: it has none.'),
    hashBalanceFactor: z
      .number()
      .optional()
      .describe('The strict bound of ring-hash, in shares; absent: 1.25, and what chance makes besides.'),
    affinity: affinity.optional(),
  }),
})

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().optional(),
  retryable: z.boolean(),
  instance: z.string().optional(),
})
