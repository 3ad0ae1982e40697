import type { ServiceName } from '@portolan/core'
import type { Passages } from '../passages.ts'

/** Where a request goes. */
export interface Destination {
  readonly service: ServiceName
  readonly passages: Passages
}
