import type { Milliseconds } from '@portolan/core'

/**
 * An answer is on its way for a moment before its TTL begins to run at whoever asked, and whoever takes an address at
 * its last moment still has to get there. And caches count in whole seconds: what nginx may keep for one, it goes by for
 * almost two (`test/e2e/dns-nginx.test.ts` looks on).
 */
export const onTheWayMs: Milliseconds = 1000 + 100

interface Waiting {
  until: Milliseconds
  /** Whether it has been said that nobody holds it any more. */
  isSaid: boolean
}

/**
 * Who of one service drains, and until when somebody may go by an answer that named him. Pure: time is a parameter.
 *
 * The last answer that named an instance in good faith is, at the latest, the last one that was made from its service
 * before the instance began to drain. After that it is named in two ways only, both with TTL 0: by its own name; and in
 * panic, because nobody else is left. The latter is waited for if the panic ends before the wait does; one that outlasts
 * it is not, since those who ask have nobody else to go to, however long the instance stays, and the last instance
 * of a busy service could never stop in peace.
 */
export class LettingGo {
  readonly #keptMs: Milliseconds
  readonly #waiting = new Map<string, Waiting>()

  /** @param ttlMs for how long answers may be kept */
  constructor(ttlMs: Milliseconds) {
    this.#keptMs = ttlMs + onTheWayMs
  }

  /** It drains, as of now; `answeredAt` = when it may have been named last. */
  drains(id: string, answeredAt: Milliseconds, now: Milliseconds): void {
    if (this.#waiting.has(id)) return
    const until = answeredAt + this.#keptMs
    // Whoever asks at once hears at once that nobody goes by it.
    this.#waiting.set(id, { until, isSaid: until <= now })
  }

  /** It drains no more, or is gone. */
  forget(id: string): void {
    this.#waiting.delete(id)
  }

  /** Those who are waited for were named in panic, the last time at `answeredAt`; others are there again. */
  panicked(answeredAt: Milliseconds, now: Milliseconds): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.until > now) waiting.until = Math.max(waiting.until, answeredAt + this.#keptMs)
    }
  }

  /** Whether somebody may still go by an answer that named it. */
  isHeld(id: string, now: Milliseconds): boolean {
    const waiting = this.#waiting.get(id)
    return waiting !== undefined && waiting.until > now
  }

  /** When {@link due} has something to say next; `undefined` = never, as things stand. */
  get dueAt(): Milliseconds | undefined {
    let soonest: Milliseconds | undefined
    for (const { until, isSaid } of this.#waiting.values()) {
      if (!isSaid && (soonest === undefined || until < soonest)) soonest = until
    }
    return soonest
  }

  /** Those whom nobody goes by any more, each once. */
  due(now: Milliseconds): readonly string[] {
    const ids: string[] = []
    for (const [id, waiting] of this.#waiting) {
      if (waiting.isSaid || waiting.until > now) continue
      waiting.isSaid = true
      ids.push(id)
    }
    return ids
  }
}
