import type { Hop, RequestHead } from '../codec/codec.ts'
import { type Conditions, meetsBesidesPath } from './conditions.ts'
import { endOfAuthority, endOfPath, LoosePath, mayBeReadOtherwise } from './loose-path.ts'

/** What matters of a route here. */
export interface GuardedRoute {
  readonly asked: Conditions
  /** Whether it replaces the beginning of paths: what it puts there must stay. */
  readonly rewrites: boolean
}

/**
 * Finds requests that a server may take for ones of another route: `/public/../private` is below `/public` as it is
 * written, and below `/private` to most who read it. Who is asked about such a request, or by which limits, would be up
 * to its writer. Paths that are plain cost one look at their bytes, and nothing where no route asks for a path.
 */
export class PathGuard {
  readonly #routes: readonly GuardedRoute[]
  readonly #isNeeded: boolean
  readonly #loose = new LoosePath()
  readonly #behindAuthority = new LoosePath()

  constructor(routes: readonly GuardedRoute[]) {
    this.#routes = routes
    this.#isNeeded = routes.some(looksAtPaths)
  }

  /**
   * Whether everybody who reads the path finds that it belongs to route `found`.
   * @param found the first one that it matches as it is written; as many as there are = none
   */
  isClear(bytes: Uint8Array, head: RequestHead, hop: Hop, hostEnd: number, found: number): boolean {
    if (!this.#isNeeded || !mayBeReadOtherwise(bytes, head.pathStart, head.targetEnd)) return true
    const own = this.#routes[found]
    const rivals = this.#routes
      .slice(0, found)
      .filter(({ asked }) => asked.depth > 0 && meetsBesidesPath(asked, bytes, head, hop, hostEnd))
    if (rivals.length === 0 && (own === undefined || !looksAtPaths(own))) return true
    for (const path of this.#readings(bytes, head)) {
      if (path.isUnclear || rivals.some(({ asked }) => path.isBelow(asked.loosePath))) return false
      if (own !== undefined && path.lowest < own.asked.depth) return false
    }
    return true
  }

  #readings(bytes: Uint8Array, { pathStart, targetEnd }: RequestHead): readonly LoosePath[] {
    const end = endOfPath(bytes, pathStart, targetEnd)
    const whole = this.#loose.read(bytes, pathStart, end)
    const rest = endOfAuthority(bytes, pathStart, end)
    return rest === undefined ? [whole] : [whole, this.#behindAuthority.read(bytes, rest, end)]
  }
}

function looksAtPaths({ asked, rewrites }: GuardedRoute): boolean {
  return rewrites || asked.path !== undefined
}
