import { hostname } from 'node:os'
import {
  type Endpoint,
  Fault,
  type Instance,
  isDraining,
  type Milliseconds,
  type Outcome,
  type OutlierSettings,
  type PickContext,
  type PolicyName,
  type Resolver,
  RetryBudget,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import type { LocalRuntime } from '../runtime.ts'
import type { TlsOptions } from '../session/wire.ts'
import { exchange, TryFailed } from './exchange.ts'
import { hashKeyOf } from './hash-key.ts'
import { openMembers } from './members.ts'
import { openPools } from './pools.ts'
import { redirected } from './redirect.ts'
import { type FetchInit, type PlainRequest, plainRequest } from './request.ts'
import { mayRetry } from './retry.ts'

/** One choice of an instance. */
export interface Picked {
  readonly instance: Instance
  /**
   * Says that the request is over (`success` unless told otherwise). Calling it twice, or never, breaks nothing;
   * but a pick that is never done counts as load on its instance for as long as that instance lives, and holds up
   * its drain until the grace time is over.
   */
  done(outcome?: Outcome): void
}

export interface PickOptions {
  /** Requests with equal keys go to the same instance, where the policy is a hashing one. An empty text is no key. */
  readonly hashKey?: string
  /** Instances that this request has tried: avoided while another is left. */
  readonly tried?: readonly Instance[]
}

/** A service as a caller sees it: one name, somebody there. */
export interface Service extends ServiceName {
  /**
   * An instance for one request, synchronously, from the newest set.
   * @throws Fault `no_instance_available`, `invalid_request` for a key that is no text
   */
  pick(options?: PickOptions): Picked
  /**
   * The WHATWG `fetch`, to the best instance: pooled, and tried once more elsewhere where that is safe and the
   * retry budget (20 %) allows. Resolves with any response that an instance gave, a 503 too. Read or cancel the
   * body: until then the call counts as load.
   * @throws Fault `no_instance_available`, `request_failed`, `request_timeout`, `invalid_request`; an aborted
   *   `signal`'s own reason
   */
  fetch(path: string, init?: FetchInit): Promise<Response>
}

export interface ServiceOptions {
  /** Default `least-request`. */
  readonly policy?: PolicyName
  /** Where this process runs: instances of its own zone are preferred, as far as they can bear it. Default: nowhere. */
  readonly zone?: string
  /** How long a new instance takes to its full share, while there are calls; 0 = none. Default 30,000. */
  readonly slowStartMs?: Milliseconds
  /** Instances that this process picks among, of each zone and priority; 0 = all. Default 0. */
  readonly subset?: number
  /**
   * Policy `ring-hash`: no instance gets more than so many times its share of this process's calls under way, strictly;
   * 1 to 10. Default: 1.25 times, or three standard deviations of chance above its share where that is more.
   */
  readonly hashBalanceFactor?: number
  readonly namespace?: string
  /** The name of the port that `fetch` calls. Default: the first that speaks HTTP. */
  readonly port?: string
  /** How long `fetch` waits for the head of a response. Default 30,000. */
  readonly timeoutMs?: Milliseconds
  /** How long a connection to an instance may take. Default 1000. */
  readonly connectMs?: Milliseconds
  /** How long `fetch` waits when nothing is known of the service yet. Default 5000. */
  readonly firstSetMs?: Milliseconds
  /** The most connections to one instance; more requests wait. Default 1000. */
  readonly connections?: number
  /**
   * When this process stops picking an instance because of what its own calls found; the registry's causes hold
   * besides. Default: after a refused connection, 3 that broke, or 5 failures in a row, while half of the instances stay.
   */
  readonly outliers?: Partial<OutlierSettings>
  /** For instances whose port speaks TLS. */
  readonly tls?: TlsOptions
}

export interface OpenService extends Service {
  /** Waits for calls under way, `withinMs` at most. */
  close(withinMs: Milliseconds): Promise<void>
}

const noInit: FetchInit = {}

/** Names this process among all callers: which subset of instances it picks among follows from it. */
const thisProcess = `${hostname()} ${process.pid}`

export function openService(
  resolver: Resolver,
  name: ServiceName,
  options: ServiceOptions,
  runtime: LocalRuntime,
): OpenService {
  const { clock } = runtime
  const timeoutMs = options.timeoutMs ?? 30_000
  const budget = new RetryBudget()
  const pools = openPools({
    port: options.port,
    connectMs: options.connectMs ?? 1000,
    connections: options.connections ?? 1000,
    tls: options.tls,
  })
  const members = openMembers(
    resolver,
    {
      name,
      balance: {
        policy: options.policy,
        slowStartMs: options.slowStartMs,
        subset: options.subset,
        hashBalanceFactor: options.hashBalanceFactor,
      },
      caller: { zone: options.zone, client: thisProcess },
      outliers: options.outliers ?? {},
      firstSetMs: options.firstSetMs ?? 5000,
      // An instance that drains stops as soon as nobody has a request under way to it: nothing is kept for later.
      onSet: set => pools.keepOnly(set.instances.filter(instance => !isDraining(instance))),
    },
    runtime,
  )

  const attempt = (endpoint: Endpoint, request: PlainRequest): Promise<Response> => {
    try {
      const pool = pools.for(endpoint.instance)
      const startedAt = clock.now()
      return exchange(pool, request, timeoutMs, (end, status) =>
        members.ended(endpoint, end, status, clock.now() - startedAt),
      )
    } catch (thrown) {
      members.ended(endpoint, 'cancelled')
      throw thrown
    }
  }

  /** One request with all its tries, each at another instance while there is one. */
  const send = async (request: PlainRequest, context: PickContext | undefined): Promise<Response> => {
    budget.deposit(clock.now())
    const tried: Endpoint[] = []
    let hasPaid = false
    for (;;) {
      const endpoint = members.pick(tried.length === 0 ? context : { ...context, tried })
      // The instance as it was tried: the endpoint may come to mean a newer one meanwhile.
      const { instance } = endpoint
      try {
        return await attempt(endpoint, request)
      } catch (thrown) {
        if (!(thrown instanceof TryFailed)) throw thrown
        // A refusal takes no time and nothing was done; anything else is worth one more try, not several.
        const isLast = tried.length === mostRetries || (hasPaid && thrown.kind !== 'refused')
        const again = !isLast && mayRetry(request.method, request.payload.replayable, thrown)
        if (!again || request.signal?.aborted || !budget.tryWithdraw(clock.now())) {
          throw faultOf(thrown, instance, request)
        }
        hasPaid ||= thrown.kind !== 'refused'
        tried.push(endpoint)
      }
    }
  }

  return {
    ...name,
    pick(pickOptions) {
      const endpoint = members.pick(contextOf(pickOptions, members.endpointsOf))
      const startedAt = clock.now()
      let open = true
      return {
        instance: endpoint.instance,
        done(outcome = 'success') {
          if (open) {
            const end = outcome === 'failure' ? 'response' : outcome
            members.ended(endpoint, end, 0, clock.now() - startedAt)
          }
          open = false
        },
      }
    },
    async fetch(path, init = noInit) {
      const hashKey = hashKeyOf(init.hashKey)
      const plain = plainRequest(path, init)
      const request = plain instanceof Promise ? await plain : plain
      if (!members.known) await members.whenKnown(request.signal)
      const context = hashKey === undefined ? undefined : { hashKey }
      const response = await send(request, context)
      if (response.status < 300 || response.status >= 400) return response
      return redirected(response, request, init.redirect ?? 'follow', next => send(next, context))
    },
    async close(withinMs) {
      await pools.close(withinMs)
      // Not earlier: drains count on what is under way.
      members.close()
    },
  }
}

/** When several instances die together, so many of them may refuse one request after the other. */
const mostRetries = 3

function contextOf(
  options: PickOptions | undefined,
  endpointsOf: (instances: readonly Instance[]) => Endpoint[],
): PickContext | undefined {
  if (options === undefined) return undefined
  const hashKey = hashKeyOf(options.hashKey)
  return {
    ...(hashKey === undefined ? {} : { hashKey }),
    ...(options.tried === undefined ? {} : { tried: endpointsOf(options.tried) }),
  }
}

/** What the caller is told: an abort is the caller's own reason, the rest a Fault that names the instance. */
function faultOf(failure: TryFailed, instance: Instance, request: PlainRequest): unknown {
  if (failure.kind === 'aborted') return failure.error
  const what = `${request.method} ${request.path} at ${serviceKey(instance)}/${instance.id}`
  const said = failure.error instanceof Error ? failure.error.message : String(failure.error)
  const retryable = mayRetry(request.method, request.payload.replayable, failure)
  if (failure.kind === 'invalid') {
    return new Fault('invalid_request', `${what}: ${said}`, { source: 'caller', cause: failure.error })
  }
  const code = failure.kind === 'timeout' ? 'request_timeout' : 'request_failed'
  return new Fault(code, `${what}: ${said}${failure.written ? ' (it may have been done)' : ''}`, {
    source: 'upstream',
    retryable,
    cause: failure.error,
  })
}
