import {
  type Dice,
  defaultNamespace,
  type Route,
  type RouteTable,
  type ServiceName,
  Split,
  serviceKey,
} from '@portolan/core'
import { type KeyOf, keyReader } from '../affinity.ts'
import type { Hop, RequestHead } from '../codec/codec.ts'
import { Passages } from '../passages.ts'
import type { Destination, Way } from './destination.ts'

/** Where the requests of one route go: to its service, or divided among several. */
export class Fork implements Way {
  readonly destinations: readonly Destination[]
  readonly #split: Split | undefined
  readonly #keyOf: KeyOf | undefined
  readonly #dice: Dice

  constructor(table: RouteTable, route: Route, dice: Dice) {
    const { service, namespace, split, splitBy } = route
    const sides = service === undefined ? (split ?? []) : [{ service, namespace, weight: 1 }]
    this.destinations = sides.map(side => ({ service: nameOf(side), passages: new Passages(table, route) }))
    this.#dice = dice
    if (service !== undefined) return
    this.#split = new Split(sides.map(side => ({ name: serviceKey(nameOf(side)), weight: side.weight })))
    this.#keyOf = keyReader(splitBy)
  }

  /** A request without the key that they are divided by goes by chance. `undefined`: there is nobody. */
  choose(bytes: Uint8Array, head: RequestHead, hop: Hop): Destination | undefined {
    const split = this.#split
    if (split === undefined) return this.destinations[0]
    const key = this.#keyOf?.(bytes, head, hop)
    return this.destinations[key === undefined ? split.byChance(this.#dice) : split.byKey(key)]
  }
}

function nameOf(side: { readonly service: string; readonly namespace?: string | undefined }): ServiceName {
  return { service: side.service, namespace: side.namespace ?? defaultNamespace }
}
