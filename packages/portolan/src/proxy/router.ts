import {
  type Dice,
  defaultNamespace,
  parseServiceKey,
  type Route,
  type RouteTable,
  type ServiceName,
  serviceKey,
} from '@portolan/core'
import { type Hop, latin1, type RequestHead } from './codec/codec.ts'
import { Passages } from './passages.ts'
import { type Problem, problems } from './problem.ts'
import { type Conditions, conditionsOf, endOfHost, meets } from './routing/conditions.ts'
import type { Destination, Way } from './routing/destination.ts'
import { Fork } from './routing/fork.ts'
import { PathGuard } from './routing/path-guard.ts'
import { Redirection } from './routing/redirection.ts'

interface CompiledRoute {
  readonly asked: Conditions
  readonly way: Way
  /** Whether the instance is asked for another path. */
  readonly rewrites: boolean
}

const suffix = '.portolan'
const namePattern = /^[A-Za-z0-9._-]{1,128}$/

/**
 * Decides by its head which service a request is for. Configured routes come first, in their order; then
 * `NAME.portolan` and `NAME.NAMESPACE.portolan`, where the table exposes them.
 */
export class Router {
  readonly #routes: readonly CompiledRoute[]
  readonly #looksAtHosts: boolean
  readonly #guard: PathGuard
  readonly #exposed: 'all' | ReadonlySet<string>
  /** The names that the table has, as they are spelled and in lower case. */
  readonly #spelled = new Map<string, ServiceName>()
  readonly #hostPassages: Passages

  constructor(table: RouteTable, dice: Dice) {
    this.#routes = table.routes.flatMap(route => {
      const asked = conditionsOf(route.match)
      if (asked === undefined) return []
      return [{ asked, way: wayOf(table, route, dice), rewrites: route.rewrite?.path !== undefined }]
    })
    this.#guard = new PathGuard(this.#routes)
    this.#looksAtHosts = this.#routes.some(({ asked }) => asked.host !== undefined)
    this.#hostPassages = new Passages(table)
    this.#exposed = table.exposed === 'all' ? 'all' : new Set(table.exposed)
    const exposed = table.exposed === 'all' ? [] : table.exposed.map(parseServiceKey)
    const names = [...this.services, ...exposed]
    for (const name of names) this.#spelled.set(serviceKey(name).toLowerCase(), name)
    for (const name of names) this.#spelled.set(serviceKey(name), name)
  }

  /** The services that configured routes name: worth knowing before the first request. */
  get services(): readonly ServiceName[] {
    return this.#routes.flatMap(({ way }) => way.destinations.map(({ service }) => service))
  }

  route(bytes: Uint8Array, head: RequestHead, hop: Hop): Destination | Problem | undefined {
    const hostEnd = this.#looksAtHosts ? endOfHost(bytes, head) : 0
    const found = this.#find(bytes, head, hop, hostEnd)
    if (!this.#guard.isClear(bytes, head, hop, hostEnd, found)) return problems.ambiguousPath
    const route = this.#routes[found]
    if (route !== undefined) return route.way.choose(bytes, head, hop)
    return this.#byHost(latin1(bytes, head.hostStart, endOfHost(bytes, head)))
  }

  /** The first route that the request meets; as many as there are: none. */
  #find(bytes: Uint8Array, head: RequestHead, hop: Hop, hostEnd: number): number {
    const routes = this.#routes
    let i = 0
    for (; i < routes.length; i++) {
      const route = routes[i]
      if (route !== undefined && meets(route.asked, bytes, head, hop, hostEnd)) break
    }
    return i
  }

  #byHost(host: string): Destination | undefined {
    const start = host.length - suffix.length
    if (start < 1 || host.slice(start).toLowerCase() !== suffix) return undefined
    const name = host.slice(0, start)
    const dot = name.lastIndexOf('.')
    const service = dot < 0 ? name : name.slice(0, dot)
    const namespace = dot < 0 ? defaultNamespace : name.slice(dot + 1)
    if (!namePattern.test(service) || !namePattern.test(namespace)) return undefined
    const found = this.#asSpelled({ namespace, service })
    if (this.#exposed !== 'all' && !this.#exposed.has(serviceKey(found))) return undefined
    return { service: found, passages: this.#hostPassages }
  }

  /** Hosts have no case and services have: what the table spells otherwise goes by the table. */
  #asSpelled(written: ServiceName): ServiceName {
    const key = serviceKey(written)
    return this.#spelled.get(key) ?? this.#spelled.get(key.toLowerCase()) ?? written
  }
}

function wayOf(table: RouteTable, route: Route, dice: Dice): Way {
  return route.redirect === undefined ? new Fork(table, route, dice) : new Redirection(route.redirect, route)
}
