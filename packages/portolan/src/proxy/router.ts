import { defaultNamespace, type Route, type RouteTable, type ServiceName, serviceKey } from '@portolan/core'
import { latin1, type RequestHead } from './codec/codec.ts'
import { Passages } from './passages.ts'

/** Where a request goes. */
export interface Destination {
  readonly service: ServiceName
  readonly passages: Passages
}

/** Routes of the configuration, ready to be compared with bytes. */
interface CompiledRoute extends Destination {
  readonly host: string | undefined
  readonly path: Buffer | undefined
}

const suffix = '.portolan'
const namePattern = /^[A-Za-z0-9._-]{1,128}$/

/**
 * Decides by Host and path which service a request is for. Configured routes come first, in their order; then
 * `NAME.portolan` and `NAME.NAMESPACE.portolan`, where the table exposes them.
 */
export class Router {
  readonly #routes: readonly CompiledRoute[]
  readonly #exposed: 'all' | ReadonlySet<string>
  readonly #hostPassages = new Passages()

  constructor(table: RouteTable) {
    this.#routes = table.routes.map(compile)
    this.#exposed = table.exposed === 'all' ? 'all' : new Set(table.exposed)
  }

  /** The services that configured routes name: worth knowing before the first request. */
  get services(): readonly ServiceName[] {
    return this.#routes.map(({ service }) => service)
  }

  route(bytes: Uint8Array, head: RequestHead): Destination | undefined {
    for (const route of this.#routes) {
      if (route.path !== undefined && !hasPrefix(bytes, head, route.path)) continue
      if (route.host !== undefined && hostOf(bytes, head).toLowerCase() !== route.host) continue
      return route
    }
    return this.#byHost(hostOf(bytes, head))
  }

  #byHost(host: string): Destination | undefined {
    const end = host.endsWith('.') ? host.length - 1 : host.length
    const start = end - suffix.length
    if (start < 1 || host.slice(start, end).toLowerCase() !== suffix) return undefined
    const name = host.slice(0, start)
    const dot = name.lastIndexOf('.')
    const service = dot < 0 ? name : name.slice(0, dot)
    const namespace = dot < 0 ? defaultNamespace : name.slice(dot + 1)
    if (!namePattern.test(service) || !namePattern.test(namespace)) return undefined
    const found = { namespace, service }
    if (this.#exposed !== 'all' && !this.#exposed.has(serviceKey(found))) return undefined
    return { service: found, passages: this.#hostPassages }
  }
}

function compile(route: Route): CompiledRoute {
  const { match, service, namespace = defaultNamespace } = route
  return {
    passages: new Passages(route),
    host: match.host?.toLowerCase(),
    // `/` matches every path, `*` included: no need to look.
    path: match.path === undefined || match.path === '/' ? undefined : Buffer.from(match.path, 'latin1'),
    service: { namespace, service },
  }
}

/** Whether the path is `prefix` or goes on below it: `/api` covers `/api`, `/api/x` and `/api?y`, but not `/apis`. */
function hasPrefix(bytes: Uint8Array, head: RequestHead, prefix: Buffer): boolean {
  const { pathStart, targetEnd } = head
  const end = pathStart + prefix.length
  if (end > targetEnd) return false
  for (let i = 0; i < prefix.length; i++) if (bytes[pathStart + i] !== prefix[i]) return false
  return end === targetEnd || prefix.at(-1) === 0x2f || bytes[end] === 0x2f || bytes[end] === 0x3f
}

/** The Host without its port. */
function hostOf(bytes: Uint8Array, head: RequestHead): string {
  let end = head.hostEnd
  while (end > head.hostStart && bytes[end - 1] !== 0x3a && bytes[end - 1] !== 0x5d) end--
  const hasPort = end > head.hostStart && bytes[end - 1] === 0x3a
  return latin1(bytes, head.hostStart, hasPort ? end - 1 : head.hostEnd)
}
