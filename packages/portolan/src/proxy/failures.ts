import type { Trouble } from '@portolan/core'
import { type Problem, problems } from './problem.ts'
import type { Failure, UpstreamConnection } from './upstream-connection.ts'

/** What the client is told. */
export const problemOf = {
  refused: problems.connectFailed,
  connect: problems.connectFailed,
  'connect-timeout': problems.connectTimeout,
  own: problems.connectFailed,
  tls: problems.tlsFailed,
  lost: problems.upstreamLost,
  'bad-response': problems.badResponse,
  'response-timeout': problems.responseTimeout,
  'body-timeout': problems.responseTimeout,
} as const satisfies Readonly<Record<Failure, Problem>>

/** Whether nothing of the request can have reached the instance. */
export const isUnwritten = {
  refused: true,
  connect: true,
  'connect-timeout': true,
  own: true,
  tls: true,
  lost: false,
  'bad-response': false,
  'response-timeout': false,
  'body-timeout': false,
} as const satisfies Readonly<Record<Failure, boolean>>

const troubleOf = {
  refused: 'refused',
  connect: 'broken',
  'connect-timeout': 'timeout',
  own: 'cancelled',
  tls: 'broken',
  lost: 'broken',
  'bad-response': 'response',
  'response-timeout': 'timeout',
  'body-timeout': 'timeout',
} as const satisfies Readonly<Record<Failure, Trouble | 'cancelled'>>

/** What a failed try says of its instance. */
export function endOf(failure: Failure, { reused, answering }: UpstreamConnection): Trouble | 'cancelled' {
  return failure === 'lost' && reused && !answering ? 'parted' : troubleOf[failure]
}
