import type { ServiceName } from '@portolan/core'
import type { Hop, RequestHead } from '../codec/codec.ts'
import type { Passages } from '../passages.ts'
import type { Problem } from '../problem.ts'

/** Where a request goes. */
export interface Destination {
  readonly service: ServiceName
  readonly passages: Passages
}

/** What becomes of the requests of one route. */
export interface Way {
  /** All services that requests may go to. */
  readonly destinations: readonly Destination[]
  /** Where one goes, or the answer in place of that; `undefined`: there is nobody. */
  choose(bytes: Uint8Array, head: RequestHead, hop: Hop): Destination | Problem | undefined
}
