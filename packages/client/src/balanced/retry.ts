/** What stands in the way of a try, coarse enough to decide by. */
export type FailureKind =
  /** The request itself is wrong; no instance would take it. */
  | 'invalid'
  /** The caller gave up. */
  | 'aborted'
  /** Nobody listens there: nothing was written, and no time was lost. */
  | 'refused'
  /** No connection came about: nothing was written. */
  | 'connect'
  /** The connection ended under the request. */
  | 'reset'
  /** No response came in time. */
  | 'timeout'
  /** What came was no response. */
  | 'malformed'

/** A try that brought no response. */
export interface Failure {
  readonly kind: FailureKind
  /** Whether a byte of the request may have reached the instance. */
  readonly written: boolean
}

const kindOfCode: Readonly<Record<string, FailureKind>> = {
  UND_ERR_INVALID_ARG: 'invalid',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'invalid',
  UND_ERR_ABORTED: 'aborted',
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  UND_ERR_CLOSED: 'connect',
  UND_ERR_DESTROYED: 'connect',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EADDRNOTAVAIL: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'malformed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'malformed',
}

/** The kind of an error that undici or the socket under it gave. */
export function failureKind(error: unknown): FailureKind {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return 'reset'
  return kindOfCode[code] ?? (code.startsWith('HPE_') ? 'malformed' : 'reset')
}

/** RFC 9110 section 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Whether a failed try may be made once more, elsewhere. What was not written may, whatever it is; what was
 * written only when doing it twice is doing it once. A time-out has used up the caller's patience and says nothing
 * of the instance's work: it stands. A body that cannot be sent twice is never sent twice.
 */
export function mayRetry(method: string, replayable: boolean, failure: Failure): boolean {
  if (!replayable || failure.kind === 'invalid' || failure.kind === 'aborted') return false
  if (!failure.written) return true
  return failure.kind === 'reset' && idempotentMethods.has(method)
}
