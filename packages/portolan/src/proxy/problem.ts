import { type Refusal, refusals } from './codec/codec.ts'

/**
 * An answer of the gateway's own. From 400 on it is an error: then `code` goes into `Portolan-Error` and the metric's label.
 */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly reason: string
  /** Further field lines, each with CRLF. */
  readonly lines?: string
  /** What the client gets to read instead of our own words, one character a byte. */
  readonly content?: Content
  /** The finer reason, for the access log. */
  readonly detail?: string
}

interface Content {
  /** As Content-Type has it; `undefined`: nobody has said. */
  readonly type: string | undefined
  readonly body: string
}

const phrases: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
}

/** What passes here, as far as we go: an instance may know more of them, or less. */
const allowed = 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n'

export const problems = {
  authRequired: {
    status: 401,
    code: 'auth_required',
    reason: 'who is asked about requests wants to know who this is from',
  },
  authRefused: {
    status: 403,
    code: 'auth_refused',
    reason: 'who is asked about requests has refused this one',
  },
  authUnavailable: {
    status: 503,
    code: 'auth_unavailable',
    reason: 'nobody can say at the moment whether the request may pass',
  },
  notReady: {
    status: 503,
    code: 'not_ready',
    reason: 'no registry has told this gateway its routes yet',
  },
  ambiguousPath: {
    status: 400,
    code: 'ambiguous_path',
    reason: 'servers read this path differently, and to some it belongs to another route: write it plainly',
  },
  noRoute: { status: 404, code: 'no_route', reason: 'no route matches this Host and path' },
  headTimeout: { status: 408, code: 'head_timeout', reason: 'the request head took too long' },
  bodyTimeout: { status: 408, code: 'body_timeout', reason: 'the request body stalled' },
  trace: {
    status: 405,
    code: 'trace_ends_here',
    reason: 'Max-Forwards lets the TRACE go no further than here, where it is not answered',
    lines: allowed,
  },
  connect: { status: 501, code: 'connect_unsupported', reason: 'CONNECT is not served here' },
  noInstance: {
    status: 503,
    code: 'no_instance_available',
    reason: 'the service has no instance to take the request',
  },
  tooManyClients: {
    status: 503,
    code: 'too_many_clients',
    reason: 'the gateway has as many connections as it may have',
  },
  tooManyFromClient: {
    status: 429,
    code: 'too_many_from_client',
    reason: 'there are as many connections from this address as one may have',
  },
  overloaded: {
    status: 503,
    code: 'overloaded',
    reason: 'the gateway keeps as much in memory as it may',
  },
  tooSlow: { status: 408, code: 'too_slow', reason: 'the request body came too slowly' },
  queueTimeout: {
    status: 503,
    code: 'queue_timeout',
    reason: 'no connection to any instance became free in time',
  },
  tooManyInFlight: {
    status: 503,
    code: 'too_many_in_flight',
    reason: 'too many requests of this service are under way',
  },
  tooManyServices: {
    status: 503,
    code: 'too_many_services',
    reason: 'too many services are asked for by Host',
  },
  tooManyPending: {
    status: 503,
    code: 'too_many_pending',
    reason: 'too many requests wait for this service',
  },
  rateLimited: {
    status: 429,
    code: 'rate_limited',
    reason: 'more requests come than the limit lets pass',
  },
  connectFailed: { status: 502, code: 'connect_failed', reason: 'no connection to the instance' },
  connectTimeout: {
    status: 504,
    code: 'connect_timeout',
    reason: 'the instance did not accept the connection in time',
  },
  tlsFailed: {
    status: 502,
    code: 'tls_failed',
    reason: 'no TLS with the instance: it speaks none, or its certificate is not trusted or not for its host',
  },
  upstreamLost: {
    status: 502,
    code: 'upstream_lost',
    reason: 'the instance closed the connection before it answered; the request may have been carried out',
  },
  badResponse: {
    status: 502,
    code: 'bad_response',
    reason: 'the instance answered with something that is not HTTP/1.1, or too much',
  },
  shed: {
    status: 503,
    code: 'shed',
    reason: 'the service has as much to do as it can: try again later',
  },
  loop: {
    status: 508,
    code: 'loop_detected',
    reason:
      'an instance of the service has sent the request back here: is it registered at the port of a gateway?',
  },
  filterTimeout: {
    status: 504,
    code: 'filter_timeout',
    reason: 'who was asked whether the request may pass did not answer in time',
  },
  deadlineExceeded: {
    status: 504,
    code: 'deadline_exceeded',
    reason: 'the time that the request has is over, and no answer has begun',
  },
  responseTimeout: { status: 504, code: 'response_timeout', reason: 'the instance did not answer in time' },
} as const satisfies Readonly<Record<string, Problem>>

/** The answer to an OPTIONS that may go no further (RFC 9110 sections 7.6.2, 9.3.7). */
export const ownOptions: Problem = {
  status: 200,
  code: 'options',
  reason: 'this is as far as Max-Forwards lets it go',
  lines: allowed,
  content: { type: undefined, body: '' },
}

/** Every code that the gateway can answer with: the label's values are known before anything goes wrong. */
export const problemCodes: readonly string[] = [
  ...Object.values(problems).map(({ code }) => code),
  ...Object.values<Refusal>(refusals).map(({ code }) => code),
]

/**
 * The whole answer as bytes (one character each).
 * @param date the line that says when it was made, with CRLF
 */
export function problemResponse(problem: Problem, date: string, close: boolean, withBody: boolean): string {
  const { status, code, reason, lines = '', content } = problem
  const { type, body }: Content = content ?? {
    type: 'application/json',
    body: `${JSON.stringify({ status, code, reason })}\n`,
  }
  return (
    `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}\r\n${date}` +
    `${type === undefined ? '' : `Content-Type: ${type}\r\n`}Content-Length: ${body.length}\r\n` +
    `${status >= 400 ? `Portolan-Error: ${code}\r\n` : ''}${lines}` +
    `${status === 503 && !lines.includes('Retry-After') ? 'Retry-After: 1\r\n' : ''}${close ? 'Connection: close\r\n' : ''}\r\n${withBody ? body : ''}`
  )
}
