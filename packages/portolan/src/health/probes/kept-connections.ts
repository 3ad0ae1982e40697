import { budgetRules, type Check, type Instance, type Milliseconds, serviceKey } from '@portolan/core'
import type { Connection } from './connection.ts'

interface Kept<Kind extends Check> {
  readonly connection: Connection<Kind>
  readonly until: Milliseconds
}

const sweepMs = 5000
/**
 * Probes that the budget has stretched come later than their check says: a new connection for each would cost both sides
 * several times what the probe does.
 */
const leastMs: Milliseconds = 1.5 * budgetRules.longestMs
/** `health.maxPerSecond` stretches the longest of intervals, too. */
const intervals = 3

/** Idle connections between probes: one per instance and check, for as long as probes keep coming. */
export class KeptConnections<Kind extends Check> {
  readonly #kept = new Map<string, Kept<Kind>>()
  #sweeper: NodeJS.Timeout | undefined
  #closed = false

  /** Takes out what is kept for these two. */
  take(instance: Instance, check: Kind): Connection<Kind> | undefined {
    const key = keyOf(instance, check)
    const kept = this.#kept.get(key)
    if (kept !== undefined) this.#kept.delete(key)
    return kept?.connection
  }

  /** Keeps a connection. False: there is one already, or nothing is kept any more. */
  put(connection: Connection<Kind>): boolean {
    const key = keyOf(connection.plan.instance, connection.plan.check)
    if (this.#closed || this.#kept.has(key)) return false
    const { intervalMs } = connection.plan.check
    this.#kept.set(key, { connection, until: performance.now() + Math.max(leastMs, intervals * intervalMs) })
    this.#sweeper ??= setInterval(() => this.#sweep(performance.now()), sweepMs).unref()
    return true
  }

  /** The connection is no more. Returns whether it was kept. */
  delete(connection: Connection<Kind>): boolean {
    const key = keyOf(connection.plan.instance, connection.plan.check)
    return this.#kept.get(key)?.connection === connection && this.#kept.delete(key)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#sweeper)
    for (const { connection } of this.#kept.values()) connection.destroy()
    this.#kept.clear()
  }

  /** Closes those whose instance or check is gone. */
  #sweep(now: Milliseconds): void {
    for (const [key, { connection, until }] of this.#kept) {
      if (until > now) continue
      this.#kept.delete(key)
      connection.destroy()
    }
  }
}

function keyOf(instance: Instance, check: Check): string {
  return `${serviceKey(instance)}/${instance.id}#${check.id}`
}
