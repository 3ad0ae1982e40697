import type { Route, RouteTable } from '@portolan/core'
import type { PathContext } from '../path-context.ts'
import type { Service } from '../service.ts'
import type { Filter } from './filter.ts'

/** For whom a filter is made: a request by one route to one service. */
export interface Station {
  readonly path: PathContext
  /** As configured; `undefined`: by `Host: NAME.portolan` alone. */
  readonly route: Route | undefined
  readonly service: Service
  /** What else is configured; with another table filters are made anew. */
  readonly table: RouteTable
}

export interface FilterEntry {
  readonly name: string
  /** Why it stands where it stands. */
  readonly why: string
  /** `undefined`: it has nothing to do there, and costs nothing. */
  make(station: Station): Filter | undefined
  /** Where `make` makes none: for requests that a trusted proxy has given a time. */
  makeTimed?(station: Station): Filter
}
