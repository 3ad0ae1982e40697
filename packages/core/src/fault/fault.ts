/**
 * Every error code of Portolan. docs/errors.md explains each of them; a test keeps the two lists equal.
 * A code is stable: programs may match on it, never on the message.
 */
export type FaultCode =
  | 'address_in_use'
  | 'body_too_large'
  | 'check_forbidden'
  | 'config_invalid'
  | 'data_dir_locked'
  | 'forbidden'
  | 'host_not_allowed'
  | 'instance_not_found'
  | 'instance_owned_by_other'
  | 'internal'
  | 'invalid_request'
  | 'method_not_allowed'
  | 'no_instance_available'
  | 'not_found'
  | 'origin_not_allowed'
  | 'protocol_unsupported'
  | 'read_only'
  | 'registry_unreachable'
  | 'request_failed'
  | 'request_timeout'
  | 'service_not_found'
  | 'session_closed'
  | 'stale_incarnation'
  | 'store_closed'
  | 'store_compacted'
  | 'store_conflict'
  | 'store_failed'
  | 'target_forbidden'
  | 'tls_required'
  | 'too_many'
  | 'unauthorized'
  | 'unsupported_media_type'
  | 'workload_failed'

/** Who is at fault: whoever called us, somebody whom we called, or we ourselves. */
export type FaultSource = 'caller' | 'upstream' | 'internal'

export interface FaultDetails {
  readonly source: FaultSource
  /** Whether the same call may succeed when it is made again. Default false. */
  readonly retryable?: boolean
  readonly cause?: unknown
  /** One line that says how to mend it. */
  readonly hint?: string
}

/** The one error type: what went wrong, through whose fault, and whether another try may help. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly source: FaultSource
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: FaultCode, message: string, details: FaultDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.source = details.source
    this.retryable = details.retryable ?? false
    this.hint = details.hint
  }
}

/** Turns whatever was thrown into a `Fault`: a `Fault` stays itself, the rest becomes `internal`. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new Fault('internal', message, { source: 'internal', cause: thrown })
}
