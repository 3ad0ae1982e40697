import type { Milliseconds } from '@portolan/core'
import type { Picks } from './registry.ts'
import type { Cancel, Timers } from './timers.ts'

/** One run of an instance that is to be let go of. */
export interface Letting {
  readonly id: string
  readonly incarnation: number
  /** Who picks by the set of this revision, or a newer one, does not pick the instance any more. */
  readonly revision: number
}

/** One who picks by a service's sets, and what it has answered. It outlives its connection for a while. */
export interface Picker {
  readonly who: string
  readonly owner: string | undefined
  readonly name: string | undefined
  /** The revision of the first set that it ever had; it owes nothing to what was draining by then. */
  readonly since: number
  /** The highest revision that it acknowledged. */
  acknowledged: number
  /** The connection that speaks for it; undefined = it broke. */
  connection: object | undefined
  /** Its process has ended: when its connection breaks it will not be back. */
  ended: boolean
}

export interface PickersParts {
  readonly timers: Timers
  /** How long one whose connection broke is expected back: as long as its session can be resumed. */
  readonly resumeMs: Milliseconds
  /** What has become of a run that is to be let go of. */
  readonly look: (letting: Letting) => 'draining' | 'lifted' | 'gone'
  /** The last one of whom anything was remembered is gone. */
  readonly onEmpty: () => void
}

interface Waiter {
  readonly letting: Letting
  /** Those who still pick the instance, or have requests under way to it, for all that we know. */
  readonly owing: Set<Picker>
  readonly resolve: (all: boolean) => void
}

/** Who said that no request of theirs is under way to a draining run, and what they had acknowledged by then. */
interface Idle {
  readonly letting: Letting
  readonly by: Map<Picker, number>
}

/**
 * Those who pick by one service's sets. A drain waits until each of them picks by a set in which the instance drains
 * (`acknowledge`) and has no request under way to it (`idle`); each answer is looked at once, by the drains that wait.
 */
export class Pickers {
  readonly #parts: PickersParts
  readonly #pickers = new Map<string, Picker>()
  /** Timers of those whose connection broke. */
  readonly #lost = new Map<Picker, Cancel>()
  readonly #idle = new Map<string, Idle>()
  readonly #waiters = new Map<string, Set<Waiter>>()

  constructor(parts: PickersParts) {
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#pickers.size === 0
  }

  /**
   * `connection` speaks for `who` from now on, and one before it no more. What was answered stays answered: sets only
   * grow newer. `since` = the revision of the set that it begins with, undefined = it has picked by others before.
   */
  join({ who, owner, name }: Picks, connection: object, since: number | undefined): Picker {
    const known = this.#pickers.get(who)
    if (known !== undefined) {
      this.#stopTimer(known)
      known.connection = connection
      known.ended = false
      return known
    }
    const picker: Picker = {
      who,
      owner,
      name,
      since: since ?? -1,
      acknowledged: -1,
      connection,
      ended: false,
    }
    this.#pickers.set(who, picker)
    for (const waiter of this.#allWaiters()) if (this.#owes(picker, waiter.letting)) waiter.owing.add(picker)
    return picker
  }

  acknowledged(picker: Picker, revision: number): void {
    picker.acknowledged = Math.max(picker.acknowledged, revision)
  }

  /** The second answer. What it had acknowledged by then is kept beside: it counts for drains up to there. */
  idle(picker: Picker, id: string, incarnation: number): void {
    const letting = { id, incarnation, revision: 0 }
    if (!this.#isKnown(picker) || this.#parts.look(letting) !== 'draining') return
    const known = this.#idle.get(id)
    const idle = known?.letting.incarnation === incarnation ? known : { letting, by: new Map() }
    this.#idle.set(id, idle)
    idle.by.set(picker, picker.acknowledged)
    for (const waiter of this.#waiters.get(id) ?? []) {
      if (!this.#owes(picker, waiter.letting)) this.#release(waiter, picker)
    }
  }

  /** It has said goodbye, or picks by this service's sets no more: nobody waits for it. */
  leave(picker: Picker, connection: object): void {
    if (picker.connection === connection) this.#forget(picker)
  }

  /** Its connection broke: it may pick by its last set still, until it is back or its time is over. */
  lose(picker: Picker, connection: object): void {
    if (picker.connection !== connection || !this.#isKnown(picker)) return
    if (picker.ended) {
      this.#forget(picker)
      return
    }
    picker.connection = undefined
    const { timers, resumeMs } = this.#parts
    const cancel = timers.after(resumeMs, () => {
      this.#forget(picker)
      if (this.isEmpty) this.#parts.onEmpty()
    })
    this.#lost.set(picker, cancel)
  }

  /** The process that `owner` stands for has ended, and whoever it was with it. */
  ended(owner: string): void {
    for (const picker of this.#pickers.values()) {
      if (picker.owner !== owner) continue
      if (picker.connection === undefined) this.#forget(picker)
      else picker.ended = true
    }
    if (this.isEmpty) this.#parts.onEmpty()
  }

  /** Resolves true when all have let go of it, or it is gone; false when `signal` aborts or the drain is lifted. */
  released(letting: Letting, signal: AbortSignal): Promise<boolean> {
    const now = this.#parts.look(letting)
    if (now !== 'draining') return Promise.resolve(now === 'gone')
    const owing = new Set(this.owing(letting))
    if (owing.size === 0) return Promise.resolve(true)
    if (signal.aborted) return Promise.resolve(false)
    return new Promise(resolve => {
      const giveUp = (): void => this.#settle(waiter, false)
      const waiter: Waiter = {
        letting,
        owing,
        resolve: all => {
          signal.removeEventListener('abort', giveUp)
          resolve(all)
        },
      }
      const others = this.#waiters.get(letting.id) ?? new Set()
      this.#waiters.set(letting.id, others.add(waiter))
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Those who have not let go of it, for all that we know. */
  owing(letting: Letting): readonly Picker[] {
    return [...this.#pickers.values()].filter(picker => this.#owes(picker, letting))
  }

  /** The service has changed. */
  changed(): void {
    const { look } = this.#parts
    for (const [id, { letting }] of this.#idle) if (look(letting) !== 'draining') this.#idle.delete(id)
    for (const waiter of this.#allWaiters()) {
      const now = look(waiter.letting)
      if (now !== 'draining') this.#settle(waiter, now === 'gone')
    }
  }

  close(): void {
    for (const waiter of this.#allWaiters()) this.#settle(waiter, false)
    for (const cancel of this.#lost.values()) cancel()
    this.#lost.clear()
    this.#pickers.clear()
    this.#idle.clear()
  }

  #owes(picker: Picker, { id, incarnation, revision }: Letting): boolean {
    if (picker.since >= revision) return false
    const idle = this.#idle.get(id)
    const idleAt = idle?.letting.incarnation === incarnation ? idle.by.get(picker) : undefined
    return idleAt === undefined || idleAt < revision
  }

  #allWaiters(): readonly Waiter[] {
    return this.#waiters.size === 0 ? [] : [...this.#waiters.values()].flatMap(waiters => [...waiters])
  }

  #forget(picker: Picker): void {
    if (!this.#isKnown(picker)) return
    this.#stopTimer(picker)
    this.#pickers.delete(picker.who)
    for (const { by } of this.#idle.values()) by.delete(picker)
    for (const waiter of this.#allWaiters()) this.#release(waiter, picker)
  }

  #release(waiter: Waiter, picker: Picker): void {
    if (waiter.owing.delete(picker) && waiter.owing.size === 0) this.#settle(waiter, true)
  }

  #settle(waiter: Waiter, all: boolean): void {
    const { id } = waiter.letting
    const waiters = this.#waiters.get(id)
    if (waiters?.delete(waiter) !== true) return
    if (waiters.size === 0) this.#waiters.delete(id)
    waiter.resolve(all)
  }

  #stopTimer(picker: Picker): void {
    this.#lost.get(picker)?.()
    this.#lost.delete(picker)
  }

  #isKnown(picker: Picker): boolean {
    return this.#pickers.get(picker.who) === picker
  }
}
