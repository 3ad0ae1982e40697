import {
  type Endpoint,
  isFailure,
  isPushback,
  type LocalBalancer,
  type Milliseconds,
  serviceKey,
  type Trouble,
} from '@portolan/core'
import { problemOfFlaw } from './flaw.ts'
import type { PathContext } from './path-context.ts'
import { type Problem, problems } from './problem.ts'
import type { Failure } from './response-receiver.ts'
import type { Service } from './service.ts'
import type { UpstreamConnection } from './upstream-connection.ts'

/** A try that brought no answer. */
export interface FailedTry {
  readonly endpoint: Endpoint
  readonly connection: UpstreamConnection
  readonly failure: Failure
}

const problemOf = {
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

/** What the client is told. */
export function problemAfter({ failure, connection: { flaw } }: FailedTry): Problem {
  return flaw === undefined ? problemOf[failure] : problemOfFlaw(flaw)
}

/** Of an answer that can't be passed on: counts why, for its service and as a strike of a limit, and tells the log. */
export function noteFlaw(
  { metrics, log }: PathContext,
  { name, metrics: own }: Service,
  failed: FailedTry,
): void {
  const { flaw } = failed.connection
  if (flaw === undefined) return
  const { code, reason } = flaw
  for (const { flaws } of [metrics, own]) flaws.set(code, (flaws.get(code) ?? 0) + 1)
  const about = { event: 'bad-response', service: serviceKey(name), instance: failed.endpoint.id, why: code }
  log.debug(about, `an answer can't be passed on: ${reason}`)
}

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

/**
 * What it says of an instance that a request's time was over before it answered: that it is too slow, where it had the whole
 * request for most of that time.
 * @param share of that time which the try had
 */
export function endOfOverdue(
  connection: UpstreamConnection | undefined,
  share: number,
): Trouble | 'cancelled' {
  return connection?.isConnected === true && share > 0.5 ? 'timeout' : 'cancelled'
}

/** Ends a pick that no answer came of. */
export function settle(balancer: LocalBalancer, endpoint: Endpoint, end: Trouble | 'cancelled'): void {
  if (end === 'cancelled') balancer.cancelled(endpoint)
  else balancer.failed(endpoint, end)
}

/** Ends a pick by what was answered. */
export function judge(balancer: LocalBalancer, endpoint: Endpoint, status: number, ms: Milliseconds): void {
  if (isFailure(status)) balancer.failed(endpoint, 'response', status)
  else if (isPushback(status)) balancer.pushedBack(endpoint)
  else balancer.succeeded(endpoint, ms)
}
