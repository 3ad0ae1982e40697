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
    const end = endOfPath(bytes, head.pathStart, head.targetEnd)
    const whole = this.#loose.read(bytes, head.pathStart, end)
    if (!this.#isOwn(whole, bytes, head, hop, hostEnd, found)) return false
    const rest = endOfAuthority(bytes, head.pathStart, end)
    if (rest === undefined) return true
    return this.#isOwn(this.#behindAuthority.read(bytes, rest, end), bytes, head, hop, hostEnd, found)
  }

  /** Whether a path, read so, stays in its route and is none of an earlier one. */
  #isOwn(
    path: LoosePath,
    bytes: Uint8Array,
    head: RequestHead,
    hop: Hop,
    hostEnd: number,
    found: number,
  ): boolean {
    const own = this.#routes[found]
    const isAstray = path.isUnclear || (own !== undefined && path.lowest < own.asked.depth)
    if (isAstray && own !== undefined && looksAtPaths(own)) return false
    for (let i = 0; i < found; i++) {
      const rival = this.#routes[i]?.asked
      if (rival === undefined || rival.depth === 0) continue
      if ((isAstray || path.isBelow(rival.loosePath)) && meetsBesidesPath(rival, bytes, head, hop, hostEnd))
        return false
    }
    return true
  }
}

function looksAtPaths({ asked, rewrites }: GuardedRoute): boolean {
  return rewrites || asked.path !== undefined
}
