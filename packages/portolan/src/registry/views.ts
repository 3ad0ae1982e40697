import type { ServiceName } from '@portolan/core'
import { Feed, type FeedParts, type SubscribeOptions } from './feed.ts'
import type { Letting, Picker } from './pickers.ts'
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
    options: SubscribeOptions,
  ): Subscription {
    return this.#feed(state, name).subscribe(subscriber, options)
  }

  touched(service: ServiceState, urgent: boolean): void {
    this.#feeds.get(service)?.touched(urgent)
  }

  isWatched(service: ServiceState): boolean {
    return this.#feeds.has(service)
  }

  /** Resolves true when everybody who picks has let go of that run, or it is gone; false on `signal`. */
  released(service: ServiceState, letting: Letting, signal: AbortSignal): Promise<boolean> {
    return this.#feeds.get(service)?.released(letting, signal) ?? Promise.resolve(true)
  }

  /** Who picks and has not let go of that run, for all that we know. */
  owing(service: ServiceState, letting: Letting): readonly Picker[] {
    return this.#feeds.get(service)?.owing(letting) ?? []
  }

  /** The process that `owner` stands for has ended: nobody waits for a connection of its to come back. */
  ended(owner: string): void {
    for (const feed of [...this.#feeds.values()]) feed.ended(owner)
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.close()
    this.#feeds.clear()
  }

  #feed(state: RegistryState, name: ServiceName): Feed {
    const service = state.service(name)
    const known = this.#feeds.get(service)
    if (known !== undefined) return known
    const feed = new Feed(service, state, this.#parts, () => {
      feed.close()
      this.#feeds.delete(service)
      state.forget(service)
    })
    this.#feeds.set(service, feed)
    return feed
  }
}
