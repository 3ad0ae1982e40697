import { Fault, type FaultCode } from '@portolan/core'
import { problems } from './table.ts'

export const problemType = 'application/problem+json; charset=utf-8'

/** An error over HTTP: RFC 9457, with our stable code and a hint beside the standard's members. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: FaultCode
  readonly hint?: string
  readonly retryable: boolean
  /** The path that was asked for. */
  readonly instance?: string
}

/** Writes a `Fault` down for the caller. What went wrong inside ourselves stays in the log. */
export function problemOf(fault: Fault, path?: string): Problem {
  const [status, title] = problems[fault.code]
  return {
    type: `urn:portolan:error:${fault.code}`,
    title,
    status,
    detail:
      fault.code === 'internal' ? 'Something failed inside the server; its log says what' : fault.message,
    code: fault.code,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    retryable: fault.retryable,
    ...(path === undefined ? {} : { instance: path }),
  }
}

/** What the HTTP framework throws, told apart by its code. */
interface FrameworkError {
  readonly code?: string
  readonly statusCode?: number
  readonly message?: string
}

/** Turns whatever a request ended in into a `Fault`. */
export function faultOf(thrown: unknown, bodyLimit: number): Fault {
  if (thrown instanceof Fault) return thrown
  const { code = '', statusCode = 500, message = String(thrown) } = (thrown ?? {}) as FrameworkError
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Fault('body_too_large', `the body is larger than ${bodyLimit} bytes`, {
        source: 'caller',
        hint: 'tags and metadata are for labels, not for data',
      })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Fault('unsupported_media_type', 'the body has a content type that is not read here', {
        source: 'caller',
        hint: 'send JSON with "Content-Type: application/json"',
      })
  }
  if (statusCode >= 400 && statusCode < 500)
    return new Fault('invalid_request', message, { source: 'caller' })
  return new Fault('internal', message, { source: 'internal', cause: thrown })
}
