import type { IncomingMessage } from 'node:http'
import { Fault } from '@portolan/core'
import { isAllowedHost, isAllowedOrigin } from './host.ts'

/** By which names we may be called, and from which pages. */
export interface Doors {
  readonly names: readonly string[]
  readonly origins: readonly string[]
}

/** Longest request target: every route with its longest names fits several times. */
const maxTarget = 4096

/** What must hold before a request, or an upgrade to a websocket, is looked at any further. */
export function refusal(request: IncomingMessage, doors: Doors): Fault | undefined {
  const { host, origin } = request.headers
  if (hostCount(request) > 1 || !isAllowedHost(host, doors.names)) return wrongHost(host)
  if (!isAllowedOrigin(origin, host, doors.origins)) return wrongOrigin(origin)
  const target = request.url ?? ''
  if (target.length > maxTarget) return badTarget(`is longer than ${maxTarget} characters`)
  // A target like "http://name/path" carries a second host, which nobody has checked.
  if (!target.startsWith('/')) return badTarget('does not begin with "/"')
  return undefined
}

function hostCount(request: IncomingMessage): number {
  return request.rawHeaders.filter((text, index) => index % 2 === 0 && /^host$/i.test(text)).length
}

function wrongHost(host: string | undefined): Fault {
  const named = host === undefined ? 'no Host' : `the Host "${host.slice(0, 200)}"`
  return new Fault('host_not_allowed', `this server does not answer for ${named}`, {
    source: 'caller',
    hint: 'call it by its IP address or localhost, or add the name to api.names in the configuration',
  })
}

function wrongOrigin(origin: string | undefined): Fault {
  return new Fault(
    'origin_not_allowed',
    `pages of "${(origin ?? '').slice(0, 200)}" may not call this server`,
    {
      source: 'caller',
      hint: 'open the page from this server itself',
    },
  )
}

function badTarget(problem: string): Fault {
  return new Fault('invalid_request', `the request target ${problem}`, { source: 'caller' })
}
