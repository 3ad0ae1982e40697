import {
  formatTraceparent,
  isTracestate,
  parseTraceparent,
  type Route,
  serviceKey,
  type TraceParent,
} from '@portolan/core'
import { spanKind } from '../journal/otlp.ts'
import type { Tracer } from '../journal/tracer.ts'
import type { Service } from '../service.ts'
import type { Ending, Filter, RequestContext, Verdict } from './filter.ts'
import type { FilterEntry } from './station.ts'

/** Continues a trace or begins one, and records the request and each of its tries. */
class TraceFilter implements Filter {
  readonly noTrailers = ['traceparent', 'tracestate']
  readonly #tracer: Tracer
  readonly #service: Service
  readonly #key: string
  readonly #route: string | undefined
  readonly #now: () => number

  constructor(tracer: Tracer, service: Service, route: Route | undefined, now: () => number) {
    this.#tracer = tracer
    this.#service = service
    this.#key = serviceKey(service.name)
    this.#route = route?.match.path
    this.#now = now
  }

  request(request: RequestContext): Verdict {
    const tracer = this.#tracer
    const parents = request.headers('traceparent')
    const [first = ''] = parents
    const parent = parents.length === 1 ? parseTraceparent(first) : undefined
    const states = request.headers('tracestate')
    const keepsState = parent !== undefined && isTracestate(states)
    if (states.length > 0 && !keepsState) request.withhold('tracestate')
    request.trace = parent?.traceId ?? tracer.newId(16)
    // Nobody records it: who has asked is the instance's parent still, as if we were not there.
    if (parent !== undefined && !parent.sampled) return undefined
    request.withhold('traceparent')
    const isRecorded = parent !== undefined || tracer.draw()
    const tryId = tracer.newId(8)
    const random = parent?.random ?? false
    request.lines += line({ traceId: request.trace, parentId: tryId, sampled: isRecorded, random })
    if (!isRecorded) return undefined
    request.keepAsked()
    request.recorded = {
      traceId: request.trace,
      spanId: tracer.newId(8),
      parentId: parent?.parentId ?? '',
      traceState: keepsState ? states.join() : '',
      method: request.head.method === 'other' ? '_OTHER' : request.head.method,
      random,
      offsetMs: tracer.offsetMs,
      tryId,
      triedAt: -1,
    }
    return undefined
  }

  tried(request: RequestContext): void {
    const { recorded, tries } = request
    if (recorded === undefined) return
    recorded.triedAt = this.#now()
    if (tries === 1) return
    const { traceId, tryId, random } = recorded
    recorded.tryId = this.#tracer.newId(8)
    const about = { traceId, sampled: true, random }
    request.amendment = {
      from: line({ ...about, parentId: tryId }),
      to: line({ ...about, parentId: recorded.tryId }),
    }
  }

  tryFailed(request: RequestContext, why: string): void {
    this.#recordTry(request, 0, why)
  }

  ended(request: RequestContext, { status, code, ms }: Ending): void {
    const { recorded, asked, hop, startedAt, tries } = request
    if (recorded === undefined) return
    this.#recordTry(request, status, code)
    request.recorded = undefined
    const { traceId, spanId, parentId, traceState, method, offsetMs } = recorded
    const query = asked.path.indexOf('?')
    const startMs = startedAt + offsetMs
    this.#tracer.record({
      traceId,
      spanId,
      parentId,
      isRemote: parentId !== '',
      traceState,
      name: nameOf(method, this.#route),
      kind: spanKind.server,
      startMs,
      endMs: startMs + ms,
      attributes: {
        'http.request.method': method,
        'http.request.method_original': method === '_OTHER' ? asked.method : undefined,
        'url.path': query < 0 ? asked.path : asked.path.slice(0, query),
        'url.scheme': hop?.scheme,
        'http.route': this.#route,
        'server.address': asked.host === '' ? undefined : asked.host,
        'client.address': hop?.peer,
        'http.response.status_code': status === 0 ? undefined : status,
        'error.type': code ?? (status >= 500 ? String(status) : undefined),
        'portolan.service': this.#key,
        'portolan.tries': tries,
      },
      isError: status >= 500 || code === 'cut',
    })
  }

  #recordTry(request: RequestContext, status: number, code: string | undefined): void {
    const { recorded, endpoint, picked, tries } = request
    if (recorded === undefined || recorded.triedAt < 0 || endpoint === undefined) return
    const { traceId, spanId, tryId, traceState, method, offsetMs, triedAt } = recorded
    recorded.triedAt = -1
    const { addresses, ports } = endpoint.instance
    this.#tracer.record({
      traceId,
      spanId: tryId,
      parentId: spanId,
      isRemote: false,
      traceState,
      name: nameOf(method, this.#route),
      kind: spanKind.client,
      startMs: triedAt + offsetMs,
      endMs: this.#now() + offsetMs,
      attributes: {
        'http.request.method': method,
        'server.address': addresses[0],
        'server.port': ports.find(({ protocol }) => protocol === 'http')?.number ?? ports[0]?.number,
        'http.response.status_code': status === 0 ? undefined : status,
        'http.request.resend_count': tries > 1 ? tries - 1 : undefined,
        'error.type': code ?? (status >= 400 ? String(status) : undefined),
        'portolan.service': this.#key,
        'portolan.instance': endpoint.id,
        'portolan.pick.policy': this.#service.policy,
        'portolan.pick.by': picked.by,
        'portolan.pick.in_flight': picked.inFlight,
        'portolan.pick.panic': picked.panic ? true : undefined,
      },
      isError: status >= 400 || (code !== undefined && code !== 'cancelled'),
    })
  }
}

function line(parent: TraceParent): string {
  return `traceparent: ${formatTraceparent(parent)}\r\n`
}

function nameOf(method: string, route: string | undefined): string {
  const verb = method === '_OTHER' ? 'HTTP' : method
  return route === undefined ? verb : `${verb} ${route}`
}

export const trace: FilterEntry = {
  name: 'trace',
  why: 'Behind the access log, which names the trace; before everything that may add to how long a request takes.',
  make: ({ path, service, route }) =>
    path.tracer.isOn ? new TraceFilter(path.tracer, service, route, () => path.clock.now()) : undefined,
}
