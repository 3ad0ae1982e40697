import type { Route, RouteTable } from '@portolan/core'
import type { Filter } from './filters/filter.ts'
import type { FilterEntry } from './filters/filters.ts'
import type { PathContext } from './path-context.ts'
import { type RetryRules, retryRules } from './retries.ts'
import type { Service } from './service.ts'

/** The way of requests by one route to one service: made once, and used by all of them. */
export interface Passage {
  readonly service: Service
  readonly route: Route | undefined
  readonly filters: readonly Filter[]
  /** The same with those that only requests meet which a trusted proxy has given a time. */
  readonly timedFilters: readonly Filter[]
  /** Names that no trailer may have which reaches the service, by the filters' word. */
  readonly noTrailers: readonly string[]
  readonly retry: RetryRules
}

/** The passages of one route; made anew with each new route table. */
export class Passages {
  readonly #table: RouteTable
  readonly #route: Route | undefined
  readonly #byService = new WeakMap<Service, Passage>()
  #last: Passage | undefined

  constructor(table: RouteTable, route?: Route) {
    this.#table = table
    this.#route = route
  }

  to(service: Service, path: PathContext, entries: readonly FilterEntry[]): Passage {
    if (this.#last?.service === service) return this.#last
    let passage = this.#byService.get(service)
    if (passage === undefined) {
      const route = this.#route
      const station = { path, route, service, table: this.#table }
      const retry = retryRules(route, service.name, this.#table)
      const made = entries.map(entry => ({ entry, filter: entry.make(station) }))
      passage = {
        service,
        route,
        filters: made.flatMap(({ filter }) => filter ?? []),
        timedFilters: made.flatMap(({ entry, filter }) => filter ?? entry.makeTimed?.(station) ?? []),
        noTrailers: made.flatMap(({ filter }) => filter?.noTrailers ?? []),
        retry,
      }
      this.#byService.set(service, passage)
    }
    this.#last = passage
    return passage
  }
}
