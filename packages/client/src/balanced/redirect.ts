import { Fault } from '@portolan/core'
import { noPayload } from './body.ts'
import type { PlainRequest } from './request.ts'

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** As many as the WHATWG fetch follows. */
const mostHops = 20

/**
 * Follows redirects for as long as they stay within the service (each hop is balanced anew). One that leaves it is
 * the caller's to follow or not: credentials meant for the service must not travel.
 * @throws Fault `request_failed` under `error`, and after 20 hops
 */
export async function redirected(
  first: Response,
  request: PlainRequest,
  mode: 'follow' | 'manual' | 'error',
  send: (request: PlainRequest) => Promise<Response>,
): Promise<Response> {
  let response = first
  let current = request
  for (let hops = 0; ; hops++) {
    const next = nextRequest(response, current)
    if (!redirects.has(response.status) || mode === 'manual') return response
    if (mode === 'error') throw tooFar(request, 'was redirected')
    if (next === undefined) return response
    if (hops === mostHops) throw tooFar(request, `was redirected more than ${mostHops} times`)
    await response.body?.cancel()
    current = next
    response = await send(next)
  }
}

/** The request that a redirect asks for; `undefined` when it leads elsewhere or cannot be made. */
function nextRequest(response: Response, request: PlainRequest): PlainRequest | undefined {
  const location = response.headers.get('location')
  const here = new URL(`http://service${request.path}`)
  if (location === null || !URL.canParse(location, here.href)) return undefined
  const there = new URL(location, here)
  if (there.origin !== here.origin) return undefined
  const path = there.pathname + there.search
  if (turnsIntoGet(response.status, request.method)) {
    return { ...request, method: 'GET', path, payload: noPayload, headers: withoutContent(request.headers) }
  }
  return request.payload.replayable ? { ...request, path } : undefined
}

function turnsIntoGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return (status === 301 || status === 302) && method === 'POST'
}

function withoutContent(headers: PlainRequest['headers']): PlainRequest['headers'] {
  if (headers === undefined) return undefined
  const list = Array.isArray(headers) ? headers : Object.entries(headers).flat()
  const kept: string[] = []
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = list[index] ?? ''
    if (!/^content-/i.test(name)) kept.push(name, list[index + 1] ?? '')
  }
  return kept
}

function tooFar(request: PlainRequest, what: string): Fault {
  return new Fault('request_failed', `${request.method} ${request.path} ${what}`, { source: 'upstream' })
}
