import type { Milliseconds } from '../time/clock.ts'

/** Who is asked whether a request may pass. */
export interface AuthSettings {
  /** Where: an http or https URL. Or else … */
  readonly url?: string
  /** … a service, by its key, and the path there. */
  readonly service?: string
  readonly path?: string
  readonly timeoutMs: Milliseconds
  /** Fields of the request that are passed on to it. */
  readonly headers: readonly string[]
  /** Fields of its answer that the instance gets. The client's own of these names never reach it. */
  readonly take: readonly string[]
  /** Whether requests pass when nobody can be asked. */
  readonly failOpen: boolean
  /** How long an answer that lets a request pass holds for all that are just like it; 0 = for that one alone. */
  readonly cacheForMs: Milliseconds
}
