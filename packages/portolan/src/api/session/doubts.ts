import type { Clock, InstanceOutcomes } from '@portolan/core'
import { type MessageBucket, messageBucket } from './intake.ts'
import type { Session } from './session.ts'

/** Of so many instances a second, over time, a session may say that they fail. */
const doubtsPerSecond = 200

/**
 * How much doubt each session may cast. All sessions together can have the registry look only so often: one that lies
 * must not use up what the others need. What goes beyond is not heard: checks come in their turn all the same.
 */
export class Doubts {
  readonly #clock: Clock
  readonly #buckets = new WeakMap<Session, MessageBucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  allow(session: Session, outcomes: readonly InstanceOutcomes[]): readonly InstanceOutcomes[] {
    if (outcomes.every(({ failed }) => failed === 0)) return outcomes
    const bucket = this.#bucketOf(session)
    return outcomes.filter(({ failed }) => {
      if (failed === 0) return true
      if (bucket.waitMs > 0) return false
      bucket.take()
      return true
    })
  }

  #bucketOf(session: Session): MessageBucket {
    const known = this.#buckets.get(session)
    if (known !== undefined) return known
    const bucket = messageBucket(doubtsPerSecond, this.#clock)
    this.#buckets.set(session, bucket)
    return bucket
  }
}
