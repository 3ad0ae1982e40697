import { dampingRules, type Milliseconds, type Penalty } from '@portolan/core'
import type { Held } from '../registry/records.ts'
import type { FairTime } from './fair-time.ts'

/** Penalties count in fair time while this process runs, and are stored by the time of day, which goes on without it. */
export class PenaltyTime {
  readonly #time: FairTime
  readonly #timeOfDay: () => string

  /** `timeOfDay` = ISO 8601, UTC. */
  constructor(time: FairTime, timeOfDay: () => string) {
    this.#time = time
    this.#timeOfDay = timeOfDay
  }

  get now(): Milliseconds {
    return this.#time.now
  }

  stored({ value, at }: Penalty): Omit<Held, 'owner'> {
    const time = Date.parse(this.#timeOfDay()) - (this.#time.now - at)
    return { value, at: new Date(time).toISOString() }
  }

  /** A clock that was set back meanwhile makes no penalty younger than it is now. */
  restored({ value, at }: Held): Penalty {
    const ago = Math.max(0, Date.parse(this.#timeOfDay()) - Date.parse(at))
    return { value: Math.min(value, dampingRules.most), at: this.#time.now - ago, suppressed: true }
  }
}
