import type { Endpoint } from '@portolan/core'

/** At most so many connections are opened ahead of requests to one instance. */
const mostAhead = 8
/** They are opened over so many turns, or one a turn. */
const turns = 10

interface Job {
  readonly endpoint: Endpoint
  /** How many connections it should have. */
  readonly wanted: number
  /** How many may still be opened: one that fails is not opened again. */
  left: number
}

/**
 * Plans connections to instances that have just come, while their service has traffic: as many as the others have busy
 * on average, a few each turn, so that first requests find them open and no instance is met by a burst.
 */
export class Prewarm {
  /** Those that were healthy in the last set; `undefined` before the first. */
  #known: ReadonlySet<Endpoint> | undefined
  #jobs: Job[] = []
  #perTurn = 0

  /** Whether any turn is left. */
  get isBusy(): boolean {
    return this.#jobs.length > 0
  }

  /** @param hasTraffic whether the service has had a request lately */
  update(endpoints: readonly Endpoint[], hasTraffic: boolean): void {
    const before = this.#known
    const healthy = endpoints.filter(({ instance }) => instance.causes.length === 0)
    this.#known = new Set(healthy)
    if (before === undefined) return
    const fresh = healthy.filter(endpoint => !before.has(endpoint))
    const old = healthy.filter(endpoint => before.has(endpoint))
    if (!hasTraffic || fresh.length === 0 || old.length === 0) return
    const wanted = Math.min(mostAhead, Math.max(1, meanBusy(old)))
    for (const endpoint of fresh) this.#jobs.push({ endpoint, wanted, left: wanted })
    this.#perTurn = Math.max(1, Math.ceil((this.#jobs.length * wanted) / turns))
  }

  /**
   * Opens what is due this turn.
   * @param open opens one more connection, if it has fewer than wanted and may have more; false: no more are needed
   */
  turn(open: (endpoint: Endpoint, wanted: number) => boolean): void {
    let left = this.#perTurn
    while (left > 0) {
      const job = this.#jobs.shift()
      if (job === undefined) return
      const { endpoint, wanted } = job
      if (endpoint.leaving || endpoint.instance.causes.length > 0 || !open(endpoint, wanted)) continue
      left--
      job.left--
      // To the end: each of many gets its first before any gets its second.
      if (job.left > 0) this.#jobs.push(job)
    }
  }
}

function meanBusy(endpoints: readonly Endpoint[]): number {
  return Math.ceil(endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0) / endpoints.length)
}
