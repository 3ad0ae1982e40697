import { Fault } from '@portolan/core'
import { type Body, noPayload, type Payload, payloadOf } from './body.ts'

/** What `fetch` takes beside the path: the WHATWG names, and the balancer's own. */
export interface FetchInit {
  readonly method?: string
  readonly headers?: Headers | readonly (readonly [string, string])[] | Readonly<Record<string, string>>
  readonly body?: Body | null
  /** Ends the call, its body included; it rejects with the signal's own reason, as `fetch` does. */
  readonly signal?: AbortSignal | null
  /**
   * `follow` (default) goes on within the service; a redirect to any other place comes back as it is.
   * `manual` gives every redirect back, `error` makes it a Fault.
   */
  readonly redirect?: 'follow' | 'manual' | 'error'
  /** Accepted as in `fetch`, and without effect: a streamed body is always sent at half duplex. */
  readonly duplex?: 'half'
  /** Calls with equal keys go to the same instance, where the policy is a hashing one. An empty text is no key. */
  readonly hashKey?: string
}

/** A request that is checked and ready to be sent, more than once if its payload is replayable. */
export interface PlainRequest {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string> | string[] | undefined
  readonly payload: Payload
  readonly signal: AbortSignal | undefined
}

/** Nothing in it that a request line could not carry, so that `URL` need not look at it. */
const plainPath = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*$/
const plainMethod = /^(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS)$/
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** @throws Fault `invalid_request` */
export function plainRequest(path: string, init: FetchInit): PlainRequest | Promise<PlainRequest> {
  const method = methodOf(init.method)
  const target = pathOf(path)
  const headers = headersOf(init.headers)
  const signal = init.signal ?? undefined
  if (init.body === undefined || init.body === null) {
    return { method, path: target, headers, payload: noPayload, signal }
  }
  if (method === 'GET' || method === 'HEAD') throw invalid(`a ${method} cannot have a body`)
  const payload = payloadOf(init.body)
  if (payload instanceof Promise) {
    return payload.then(ready => withPayload(method, target, headers, ready, signal))
  }
  return withPayload(method, target, headers, payload, signal)
}

function withPayload(
  method: string,
  path: string,
  given: PlainRequest['headers'],
  payload: Payload,
  signal: AbortSignal | undefined,
): PlainRequest {
  const { contentType } = payload
  const silent = contentType === undefined || names(given).includes('content-type')
  const headers = silent ? given : [...flat(given), 'content-type', contentType]
  return { method, path, headers, payload, signal }
}

function methodOf(method: string | undefined): string {
  if (method === undefined) return 'GET'
  if (plainMethod.test(method)) return method
  const upper = method.toUpperCase()
  if (plainMethod.test(upper)) return upper
  if (token.test(method) && upper !== 'CONNECT' && upper !== 'TRACE') return method
  throw invalid(`"${method.slice(0, 40)}" is not a method that can be balanced`)
}

function pathOf(path: string): string {
  if (plainPath.test(path)) return path
  if (!path.startsWith('/')) {
    throw invalid(`"${path.slice(0, 80)}" is not a path`, "write it from the root: fetch('/orders/1')")
  }
  const base = 'http://service'
  if (!URL.canParse(base + path)) throw invalid(`"${path.slice(0, 80)}" is not a path`)
  const url = new URL(base + path)
  return url.pathname + url.search
}

function headersOf(headers: FetchInit['headers']): PlainRequest['headers'] {
  if (headers === undefined) return undefined
  if (headers instanceof Headers) return [...headers].flat()
  if (isPairs(headers)) return headers.flat()
  return headers
}

function isPairs(headers: FetchInit['headers']): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers)
}

function flat(headers: PlainRequest['headers']): string[] {
  if (headers === undefined) return []
  return Array.isArray(headers) ? headers : Object.entries(headers).flat()
}

function names(headers: PlainRequest['headers']): string[] {
  return flat(headers)
    .filter((_, index) => index % 2 === 0)
    .map(name => name.toLowerCase())
}

function invalid(message: string, hint?: string): Fault {
  return new Fault('invalid_request', message, {
    source: 'caller',
    ...(hint === undefined ? {} : { hint }),
  })
}
