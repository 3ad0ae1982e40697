import type { Endpoint } from '../balance/picker.ts'
import type { EjectionReason, Tally, Trouble } from '../balance/tally.ts'
import type { Instance } from '../instance/instance.ts'
import type { InstanceSet } from '../instance/instance-set.ts'
import type { Milliseconds } from '../time/clock.ts'
import { keptAtLeast, type OutlierSettings, outlierDefaults, timeOut } from './settings.ts'
import { forget, keptAfter, roll, standingOut } from './window.ts'

/** A trial that says nothing for so long is made once more. */
const longestTrialMs: Milliseconds = 30_000

/**
 * Who of one service stands out by what this process's requests found. `in → out → due → trying → in`, or `out` again
 * and for longer. Consecutive failures, success rate and ejection as in Envoy's outlier detection; the trial is a
 * circuit breaker's half-open state. Time is a parameter, and nothing here asks for it.
 *
 * Methods that answer a boolean say whether the causes have changed: then the set is to be made anew.
 */
export class OutlierMachine {
  readonly ejections: Record<EjectionReason, number> = {
    'consecutive-5xx': 0,
    refused: 0,
    broken: 0,
    'success-rate': 0,
    latency: 0,
  }
  /** Times that an instance stood out and stayed, because too few would have been left. */
  withheld = 0
  #settings = outlierDefaults
  #set: InstanceSet | undefined
  /** Everybody who is not `in`, by id. */
  readonly #away = new Map<string, Endpoint>()
  /** Healthy instances that are `in`, and how many of them there are to be. */
  #kept = 0
  #keepAtLeast = 0

  /** Whoever is out stays out under new settings. */
  configure(settings: Partial<OutlierSettings>): void {
    this.#settings = { ...outlierDefaults, ...settings }
  }

  /** Takes the registry's set. Runs that have left are forgotten. */
  update(set: InstanceSet, now: Milliseconds): void {
    this.#set = set
    const runs = new Map(set.instances.map(({ id, incarnation }) => [id, incarnation]))
    for (const [id, { instance }] of this.#away) {
      if (runs.get(id) !== instance.incarnation) this.#away.delete(id)
    }
    const takers = set.instances.filter(({ weight }) => weight > 0)
    this.#keepAtLeast = keptAtLeast(takers.length, this.#settings)
    this.#kept = takers.filter(instance => counts(instance) && !this.#away.has(instance.id)).length
    this.#keepEnough(now)
  }

  /** The tally's run of that instance, where it is not `in`. */
  awayOf({ id, incarnation }: Instance): Tally | undefined {
    const endpoint = this.#away.get(id)
    return endpoint?.instance.incarnation === incarnation ? endpoint.tally : undefined
  }

  /** Instances that carry the local cause. */
  get outliers(): number {
    let count = 0
    for (const { tally } of this.#away.values()) if (tally.standing !== 'due') count += 1
    return count
  }

  /** When somebody's time out is over; undefined = nobody waits. */
  get nextRelease(): Milliseconds | undefined {
    let next: Milliseconds | undefined
    for (const { tally } of this.#away.values()) {
      if (tally.standing !== 'due' && (next === undefined || tally.until < next)) next = tally.until
    }
    return next
  }

  /** Whose time out is over becomes due for a trial. */
  release(now: Milliseconds): boolean {
    let changed = false
    for (const { tally } of this.#away.values()) {
      if (tally.standing === 'due' || tally.until > now) continue
      tally.standing = 'due'
      changed = true
    }
    return changed
  }

  /** One who is due was picked: nobody else picks it until it is known how that ended. */
  tried({ tally }: Endpoint, now: Milliseconds): boolean {
    tally.standing = 'trying'
    tally.until = now + longestTrialMs
    // By now, whoever is still under way since before is slow rather than many.
    tally.stragglers = 0
    return true
  }

  succeeded({ id, tally }: Endpoint, now: Milliseconds): boolean {
    tally.failuresInRow = 0
    tally.brokenInRow = 0
    if (tally.standing === 'in' || isStraggler(tally)) return false
    this.#letIn(id, tally, now)
    return true
  }

  failed(endpoint: Endpoint, trouble: Trouble, now: Milliseconds): boolean {
    const { tally } = endpoint
    if (tally.standing !== 'in') return this.#failedAway(endpoint, trouble, now)
    if (trouble === 'refused') return this.#eject(endpoint, 'refused', now)
    if (trouble === 'parted') return false
    const { consecutive5xx, consecutiveBroken } = this.#settings
    tally.failuresInRow += 1
    if (trouble !== 'response') tally.brokenInRow += 1
    if (reached(tally.brokenInRow, consecutiveBroken)) return this.#eject(endpoint, 'broken', now)
    if (reached(tally.failuresInRow, consecutive5xx)) return this.#eject(endpoint, 'consecutive-5xx', now)
    return false
  }

  /** A request ended in a way that says nothing: a trial is made once more. */
  undecided({ tally }: Endpoint): boolean {
    if (tally.standing === 'in' || isStraggler(tally) || tally.standing !== 'trying') return false
    tally.standing = 'due'
    return true
  }

  /** Compares peers over the window, and forgives who has been good: about once a second. */
  compare(endpoints: readonly Endpoint[], overMs: Milliseconds, now: Milliseconds): boolean {
    const kept = keptAfter(overMs, this.#settings)
    for (const { tally } of endpoints) {
      roll(tally, kept)
      if (tally.strikes > 0) this.#forgive(tally, now)
    }
    const present = endpoints.filter(({ tally }) => tally.standing === 'in')
    let changed = false
    for (const { endpoint, reason } of standingOut(present, this.#settings)) {
      // Slow and failing at once is one ejection.
      if (endpoint.tally.standing === 'in' && this.#eject(endpoint, reason, now)) changed = true
    }
    return changed
  }

  #failedAway(endpoint: Endpoint, trouble: Trouble, now: Milliseconds): boolean {
    const { tally } = endpoint
    if (trouble === 'parted') return this.undecided(endpoint)
    if (isStraggler(tally) || tally.standing !== 'trying') return false
    this.#out(endpoint, reasonOf[trouble], now)
    this.#keepEnough(now)
    return true
  }

  #eject(endpoint: Endpoint, reason: EjectionReason, now: Milliseconds): boolean {
    const { id, instance } = endpoint
    const counting = counts(instance)
    if (counting && reason !== 'refused' && this.#kept <= this.#keepAtLeast) {
      this.withheld += 1
      return false
    }
    // One that has left: its last requests end after it.
    const current = this.#set?.instances.find(other => other.id === id)
    if (current?.incarnation !== instance.incarnation) return false
    if (counting) this.#kept -= 1
    this.#out(endpoint, reason, now)
    this.#keepEnough(now)
    return true
  }

  #out(endpoint: Endpoint, reason: EjectionReason, now: Milliseconds): void {
    const { tally } = endpoint
    tally.standing = 'out'
    tally.reason = reason
    tally.until = now + timeOut(tally.strikes, this.#settings)
    tally.strikes += 1
    tally.failuresInRow = 0
    tally.brokenInRow = 0
    tally.stragglers = endpoint.inFlight
    forget(tally)
    this.ejections[reason] += 1
    this.#away.set(endpoint.id, endpoint)
  }

  #letIn(id: string, tally: Tally, now: Milliseconds): void {
    tally.standing = 'in'
    tally.goodSince = now
    this.#away.delete(id)
    const instance = this.#set?.instances.find(other => other.id === id)
    if (instance !== undefined && counts(instance)) this.#kept += 1
  }

  /** When others have left, those come back first who have the least against them; never who refuses connections. */
  #keepEnough(now: Milliseconds): void {
    if (this.#kept >= this.#keepAtLeast || this.#away.size === 0) return
    const healthy = new Set(this.#set?.instances.filter(counts).map(({ id }) => id))
    const able = [...this.#away.values()]
      .filter(({ id, tally }) => tally.reason !== 'refused' && healthy.has(id))
      .sort(({ tally: a }, { tally: b }) => a.strikes - b.strikes || a.until - b.until)
    for (const { id, tally } of able) {
      if (this.#kept >= this.#keepAtLeast) return
      this.#letIn(id, tally, now)
    }
  }

  #forgive(tally: Tally, now: Milliseconds): void {
    if (tally.standing !== 'in' || now - tally.goodSince < this.#settings.forgiveMs) return
    if (tally.window.ok <= tally.window.failed) return
    tally.strikes -= 1
    tally.goodSince = now
  }
}

const reasonOf = {
  refused: 'refused',
  broken: 'broken',
  timeout: 'broken',
  response: 'consecutive-5xx',
} as const satisfies Readonly<Record<Exclude<Trouble, 'parted'>, EjectionReason>>

/** Whether the instance takes part in what is to be kept. */
function counts({ weight, causes }: Instance): boolean {
  return weight > 0 && causes.every(isLocal)
}

function isLocal({ kind, owner }: Instance['causes'][number]): boolean {
  return kind === 'outlier' && owner === 'local'
}

function reached(count: number, limit: number): boolean {
  return limit > 0 && count >= limit
}

/** Whether this was one of those that were under way when the instance was ejected; each is counted off once. */
function isStraggler(tally: Tally): boolean {
  if (tally.stragglers === 0) return false
  tally.stragglers -= 1
  return true
}
