import { Fault, type InstanceName, type Milliseconds, type Random, toFault } from '@portolan/core'
import type { Cancel, Timers } from '../runtime.ts'
import type { Link } from '../session/link.ts'
import type { Claim } from './registration.ts'
import { openReports, reportedTooLate, type StatusReport } from './reports.ts'

/** One registration of this process, kept alive by the session and made again after every outage. */
export interface Lease extends InstanceName {
  /** The newest one that the registry acknowledged; it may grow when a registration had to be made again. */
  readonly incarnation: number
  /** Why the registry does not take this registration at the moment; it keeps being asked. */
  readonly fault: Fault | undefined
  /**
   * Says how this program is, for its `ttl` check: at least once in the check's interval. Resolves when the registry
   * has heard it. While none answers it resolves at once, and the newest report of each check is sent when one does.
   * @throws Fault `invalid_request` (it has no such check), `session_closed` (the lease is over)
   */
  report(report: StatusReport): Promise<void>
  /**
   * Drains, then deregisters: resolves when nobody picks this instance any more, or after `graceMs` (default
   * 10,000). Calling it again returns the same promise.
   */
  close(options?: { readonly graceMs?: Milliseconds }): Promise<void>
  /** Deregisters at once. While no registry answers it resolves too, and the goodbye is sent when one does. */
  deregister(): Promise<void>
}

/** A lease as the session's connections drive it. */
export interface HeldLease {
  readonly lease: Lease
  /** Resolves at the first acknowledgement. @throws Fault why the registry refuses this registration for good */
  readonly acknowledged: Promise<void>
  up(link: Link): void
  down(): void
  mayStop(): void
}

export interface LeaseWorld {
  readonly timers: Timers
  readonly random: Random
  /** Told why a registration that stood once could not be made again. */
  readonly onFault: (fault: Fault) => void
  /** The lease is over, and every registry knows. */
  readonly onEnd: () => void
}

const defaultGraceMs = 10_000
/** The registry keeps the grace time itself; this is what its message may take on the way. */
const mayStopSlackMs = 500
/** A drain goes on over the next connection if one comes about so soon: callers cannot be told without a registry. */
const reconnectMs = 1000
const firstRetryMs = 50
const longestRetryMs = 5000

/** Claims an instance on every connection that comes, until it is given up. */
export function holdLease(claim: Claim, world: LeaseWorld): HeldLease {
  const { name, message } = claim
  const first = deferred()
  const reports = openReports(name)
  let link: Link | undefined
  let incarnation = 0
  let fault: Fault | undefined
  let phase: 'held' | 'leaving' | 'ended' = 'held'
  /** A register was sent whose answer we don't know: the registry may hold an incarnation that we can't name. */
  let unsure = false
  let asserting: Promise<void> = Promise.resolve()
  let stopDraining = () => {}
  /** Asks for the drain that is under way. */
  let askToDrain: (() => Promise<void>) | undefined
  let stopOutage: Cancel = () => {}
  let cancelRetry: Cancel = () => {}
  let leaving: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const end = () => {
    phase = 'ended'
    cancelRetry()
    first.reject(givenUp())
    world.onEnd()
  }

  const assert = async (on: Link) => {
    for (let attempt = 0; link === on && (phase === 'held' || (phase === 'leaving' && unsure)); attempt++) {
      try {
        unsure = true
        const done = await on.request({ type: 'register', instance: message })
        incarnation = done.incarnation ?? incarnation
        unsure = false
        fault = undefined
        first.resolve()
        reports.resend(on, incarnation).catch(refused => world.onFault(toFault(refused)))
        return
      } catch (thrown) {
        const refusal = toFault(thrown)
        if (link !== on) return
        unsure = refusal.retryable
        if (incarnation === 0 && !refusal.retryable) {
          first.reject(refusal)
          return end()
        }
        fault = refusal
        world.onFault(refusal)
        if (phase === 'held') await retryPause(attempt)
      }
    }
  }

  const retryPause = (attempt: number) =>
    new Promise<void>(resolve => {
      const pause = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt, 16))
      const cancel = world.timers.after(pause / 2 + (world.random() * pause) / 2, resolve, 'background')
      cancelRetry = () => {
        cancel()
        resolve()
      }
    })

  /** Says goodbye on the connection of this moment; without one, the next `up` does. */
  const sayGoodbye = async () => {
    if (phase === 'ended') return
    if (incarnation === 0 && !unsure) return end()
    const on = link
    if (on === undefined) return
    if (unsure) await assert(on)
    try {
      await on.request({ type: 'deregister', ...name, incarnation })
      end()
    } catch (thrown) {
      const refusal = toFault(thrown)
      // Not found, or stale: the instance is gone or has a successor. Either way nothing is left to say.
      if (link === on && !refusal.retryable) end()
    }
  }

  const deregister = () => {
    leaving ??= (async () => {
      if (phase === 'held') phase = 'leaving'
      cancelRetry()
      await asserting
      await sayGoodbye()
    })()
    return leaving
  }

  const drain = async (graceMs: Milliseconds) => {
    if (link === undefined || phase !== 'held') return
    const stopped = new Promise<void>(resolve => {
      const cancel = world.timers.after(graceMs + mayStopSlackMs, resolve)
      stopDraining = () => {
        cancel()
        stopOutage()
        resolve()
      }
    })
    askToDrain = async () => {
      const on = link
      await asserting
      try {
        await on?.request({ type: 'drain', ...name, graceMs })
      } catch (thrown) {
        if (link !== on) return
        // An instance that cannot be drained is deregistered all the same.
        world.onFault(toFault(thrown))
        stopDraining()
      }
    }
    void askToDrain()
    await stopped
    askToDrain = undefined
  }

  const lease: Lease = {
    ...name,
    get incarnation() {
      return incarnation
    },
    get fault() {
      return fault
    },
    async report(report) {
      if (phase !== 'held') throw reportedTooLate(name)
      // A run that the registry has not acknowledged cannot be spoken for.
      await reports.send(report, unsure ? undefined : link, incarnation)
    },
    close(options = {}) {
      closing ??= drain(options.graceMs ?? defaultGraceMs).then(deregister)
      return closing
    },
    deregister,
  }

  return {
    lease,
    acknowledged: first.promise,
    up(next) {
      link = next
      stopOutage()
      if (phase === 'held') asserting = assert(next)
      else void sayGoodbye()
      void askToDrain?.()
    },
    down() {
      link = undefined
      cancelRetry()
      if (askToDrain !== undefined) stopOutage = world.timers.after(reconnectMs, stopDraining)
    },
    mayStop: () => stopDraining(),
  }
}

function givenUp(): Fault {
  return new Fault('session_closed', 'the lease was given up before a registry acknowledged it', {
    source: 'caller',
  })
}

interface Deferred {
  readonly promise: Promise<void>
  resolve(): void
  reject(fault: Fault): void
}

/** A promise that is settled from outside, and whose rejection nobody is obliged to hear. */
function deferred(): Deferred {
  let settle: Omit<Deferred, 'promise'> = { resolve() {}, reject() {} }
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.catch(() => {})
  return { promise, ...settle }
}
