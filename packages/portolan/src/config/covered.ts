import type { RouteMatch } from '@portolan/core'

/** Of routes with the same host and path, so many are compared: a file of thousands is to be read in a moment. */
const mostCompared = 64

/** A route’s `match` as the file has it. */
type Match = { readonly [Key in keyof RouteMatch]: RouteMatch[Key] | undefined }

interface Asked {
  readonly index: number
  /** In lower case, without a final dot; empty: any. `*.shop.example`: all below. */
  readonly host: string
  readonly path: string
  readonly method: string | undefined
  readonly headers: ReadonlyMap<string, string>
}

/** Where a path, or the beginning of one, has come to; below it by the next segment. `/a/` is the empty one below `/a`. */
interface Place {
  readonly routes: Asked[]
  readonly below: Map<string, Place>
}

const newPlace = (): Place => ({ routes: [], below: new Map() })

/**
 * For each route that an earlier one leaves nothing to take, by its index: the index of the first such. What only several
 * leave nothing to together is not found.
 */
export function coveringRoutes(matches: readonly Match[]): ReadonlyMap<number, number> {
  const earlier = new Map<string, Place>()
  const found = new Map<number, number>()
  for (const [index, match] of matches.entries()) {
    const asked = askedBy(index, match)
    const wider = widerHosts(asked.host).flatMap(host => widerPaths(earlier.get(host), asked.path))
    const covering = wider.filter(other => asksLess(other, asked)).map(other => other.index)
    if (covering.length > 0) found.set(index, Math.min(...covering))
    else remember(earlier, asked)
  }
  return found
}

function askedBy(index: number, { host = '', path = '/', method, headers = {} }: Match): Asked {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return { index, host: host.toLowerCase().replace(/\.$/, ''), path, method, headers: new Map(named) }
}

function remember(earlier: Map<string, Place>, asked: Asked): void {
  let place = below(earlier, asked.host)
  for (const segment of segmentsOf(asked.path)) place = below(place.below, segment)
  if (place.routes.length < mostCompared) place.routes.push(asked)
}

function below(places: Map<string, Place>, step: string): Place {
  const place = places.get(step) ?? newPlace()
  places.set(step, place)
  return place
}

const segmentsOf = (path: string): readonly string[] => path.split('/').slice(1)

/** The hosts of which each takes all that `host` takes: for `a.b.c` itself, `*.b.c`, `*.c` and any. */
function widerHosts(host: string): readonly string[] {
  if (host === '') return [host]
  const wider = ['', host]
  const name = host.startsWith('*.') ? host.slice(2) : host
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
    wider.push(`*${name.slice(dot)}`)
  return wider
}

/** The routes whose path is a prefix of `path` by whole segments: for `/a/b` those of `/`, `/a`, `/a/` and itself. */
function widerPaths(root: Place | undefined, path: string): readonly Asked[] {
  const wider: Asked[] = []
  let place = root
  for (const segment of segmentsOf(path)) {
    const slashed = place?.below.get('')
    if (slashed !== undefined) wider.push(...slashed.routes)
    place = place?.below.get(segment)
    if (place === undefined) break
    if (segment !== '') wider.push(...place.routes)
  }
  return wider
}

/** Whether `wide` takes whatever has the method and headers that `narrow` asks for. */
function asksLess(wide: Asked, narrow: Asked): boolean {
  if (wide.method !== undefined && wide.method !== narrow.method) return false
  return [...wide.headers].every(([name, value]) => narrow.headers.get(name) === value)
}
