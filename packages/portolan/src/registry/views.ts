import type { Cursor, ServiceName } from '@portolan/core'
import { Feed, type FeedParts } from './feed.ts'
import type { Subscriber, Subscription } from './registry.ts'
import type { ServiceState } from './service-state.ts'
import type { RegistryState } from './state.ts'

/** All subscriptions, a feed for each watched service. A change reaches its own service's feed and no other. */
export class Views {
  readonly #parts: FeedParts
  readonly #feeds = new Map<ServiceState, Feed>()

  constructor(parts: FeedParts) {
    this.#parts = parts
  }

  subscribe(
    state: RegistryState,
    name: ServiceName,
    subscriber: Subscriber,
    options: { readonly from: Cursor | undefined; readonly acknowledges: boolean },
  ): Subscription {
    const service = state.service(name)
    const feed = this.#feeds.get(service) ?? new Feed(service, state, this.#parts)
    this.#feeds.set(service, feed)
    return feed.subscribe(subscriber, options, () => {
      if (!feed.isIdle) return
      feed.close()
      this.#feeds.delete(service)
      state.forget(service)
    })
  }

  touched(service: ServiceState, urgent: boolean): void {
    this.#feeds.get(service)?.touched(urgent)
  }

  isWatched(service: ServiceState): boolean {
    return this.#feeds.has(service)
  }

  /** Resolves true when every subscriber that acknowledges picks by `revision` or a newer one, false on `signal`. */
  acknowledged(service: ServiceState, revision: number, signal: AbortSignal): Promise<boolean> {
    return this.#feeds.get(service)?.acknowledged(revision, signal) ?? Promise.resolve(true)
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close()
    this.#feeds.clear()
  }
}
