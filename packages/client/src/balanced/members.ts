import {
  Balancer,
  type Endpoint,
  Fault,
  type Instance,
  type InstanceSet,
  type Milliseconds,
  type Outcome,
  type PickContext,
  type PolicyName,
  policyByName,
  type Resolver,
  type ServiceName,
  serviceKey,
  type View,
} from '@portolan/core'
import type { Cancel, LocalRuntime } from '../runtime.ts'
import {
  localSet,
  nextReturn,
  noOutliers,
  type Outliers,
  stillThere,
  struck,
  vindicated,
} from './outliers.ts'

/** The members of one service as this process picks them: the registry's set and what our own requests learned. */
export interface Members {
  /** False until a registry has said anything about the service. */
  readonly known: boolean
  /** @throws Fault `no_instance_available` */
  pick(context: PickContext | undefined): Endpoint
  done(endpoint: Endpoint, outcome: Outcome): void
  /** A try failed below HTTP; `refused` = no connection came about. */
  failed(instance: Instance, refused: boolean): void
  /** The endpoints of instances that a caller has tried. */
  endpointsOf(instances: readonly Instance[]): Endpoint[]
  /** @throws Fault `no_instance_available` when no registry says anything in time, `signal`'s reason when it aborts */
  whenKnown(signal: AbortSignal | undefined): Promise<void>
  close(): void
}

export interface MembersOptions {
  readonly name: ServiceName
  readonly policy: PolicyName | undefined
  /** How long {@link Members.whenKnown} waits. */
  readonly firstSetMs: Milliseconds
  /** Told of every set, after pickers use it. */
  readonly onSet: (set: InstanceSet) => void
}

export function openMembers(resolver: Resolver, options: MembersOptions, runtime: LocalRuntime): Members {
  const { clock, timers } = runtime
  const { namespace, service } = options.name
  const balancer = new Balancer(policyByName(options.policy), runtime.random, ({ id }) =>
    resolver.idle({ namespace, service, id }),
  )
  const waiting = new Set<() => void>()
  let outliers: Outliers = noOutliers
  let newest: InstanceSet | undefined
  let stopReturn: Cancel = () => {}
  let closed = false

  const rebuild = () => {
    if (newest === undefined) return
    const now = clock.now()
    balancer.update(localSet(newest, outliers, now))
    stopReturn()
    const at = nextReturn(outliers, now)
    if (at !== undefined) stopReturn = timers.after(Math.max(1, at - now), rebuild, 'background')
  }

  const receive = ({ set }: View) => {
    // Becoming stale, or fresh again without news, changes no pick.
    if (set === newest) return
    newest = set
    outliers = stillThere(outliers, set)
    rebuild()
    options.onSet(set)
    for (const go of [...waiting]) go()
  }
  const unsubscribe = resolver.subscribe(options.name, {
    receive,
    inFlight: instance => balancer.inFlight(instance),
  })

  return {
    get known() {
      return newest !== undefined
    },
    pick(context) {
      const endpoint = balancer.pick(context)
      if (endpoint !== undefined) return endpoint
      throw newest === undefined ? unheardOf(options.name) : nobody(options.name, newest)
    },
    done(endpoint, outcome) {
      balancer.done(endpoint, outcome)
      if (outliers.size === 0 || outcome !== 'success') return
      const before = outliers
      outliers = vindicated(outliers, endpoint.id)
      if (outliers !== before) rebuild()
    },
    failed(instance, refused) {
      const before = outliers
      outliers = struck(outliers, instance, refused, clock.now())
      if (outliers !== before) rebuild()
    },
    endpointsOf(instances) {
      const ids = new Set(instances.map(({ id }) => id))
      return balancer.endpoints.filter(({ id }) => ids.has(id))
    },
    whenKnown(signal) {
      if (newest !== undefined) return Promise.resolve()
      if (signal?.aborted) return Promise.reject(signal.reason)
      return new Promise((resolve, reject) => {
        const stop = () => {
          cancel()
          waiting.delete(go)
          signal?.removeEventListener('abort', abort)
        }
        const go = () => {
          stop()
          if (closed) reject(unheardOf(options.name))
          else resolve()
        }
        const abort = () => {
          stop()
          reject(signal?.reason)
        }
        const cancel = timers.after(options.firstSetMs, () => {
          stop()
          reject(unheardOf(options.name))
        })
        waiting.add(go)
        signal?.addEventListener('abort', abort, { once: true })
      })
    },
    close() {
      closed = true
      unsubscribe()
      stopReturn()
      for (const go of [...waiting]) go()
    },
  }
}

function unheardOf(name: ServiceName): Fault {
  return new Fault('no_instance_available', `no registry has said yet who serves ${serviceKey(name)}`, {
    source: 'upstream',
    retryable: true,
    hint: 'wait for the first set: fetch() does, or read one from watch()',
  })
}

function nobody(name: ServiceName, set: InstanceSet): Fault {
  const count = set.instances.length
  const which = count === 0 ? 'has no instance' : `has ${count} instances, and none may take traffic`
  return new Fault('no_instance_available', `${serviceKey(name)} ${which}`, {
    source: 'upstream',
    retryable: true,
    hint: `\`portolan instances ${serviceKey(name)}\` says who is there and why not`,
  })
}
