import { type Milliseconds, type Route, type RouteTable, type ServiceName, serviceKey } from '@portolan/core'
import { problems } from '../problem.ts'
import type { Filter, RequestContext } from './filter.ts'
import type { FilterEntry } from './station.ts'

/** In which a request says how many milliseconds there are for it. */
export const timeoutField = 'X-Request-Timeout-Ms'
const folded = timeoutField.toLowerCase()

/** Gives requests so much time, tells instances of it, and heeds what trusted proxies have left of theirs. */
export const deadline: FilterEntry = {
  name: 'deadline',
  why: 'before all that may take time, so that all of it counts',
  make({ route, service, table }) {
    const configured = timeoutOf(route, service.name, table)
    return configured === undefined ? undefined : within(configured)
  },
  makeTimed: () => within(Number.POSITIVE_INFINITY),
}

/** The field itself is never passed on: the codec leaves it out. */
function within(most: Milliseconds): Filter {
  return {
    request(request) {
      const ms = request.hop?.trusted === true ? Math.min(most, told(request)) : most
      if (ms === Number.POSITIVE_INFINITY) return undefined
      if (ms <= 0) return problems.deadlineExceeded
      request.deadlineAt = request.startedAt + ms
      request.lines += `${timeoutField}: ${Math.ceil(ms)}\r\n`
      return undefined
    },
  }
}

/** The route's own counts before the service's; 0 there = none. */
function timeoutOf(
  route: Route | undefined,
  service: ServiceName,
  { timeouts = {} }: RouteTable,
): Milliseconds | undefined {
  const key = serviceKey(service)
  const ms = route?.timeoutMs ?? (Object.hasOwn(timeouts, key) ? timeouts[key] : undefined)
  return typeof ms === 'number' && ms > 0 ? ms : undefined
}

/** What the proxy before us has left; what is no number says nothing. */
function told(request: RequestContext): Milliseconds {
  const value = request.header(folded)
  return value !== undefined && /^\d{1,12}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY
}
