import { formatHostPort, type HostPort, type Milliseconds } from '@portolan/core'
import type { Log } from '../../../observe/log.ts'
import type { Trouble } from './exchange.ts'
import { UpstreamHealth } from './health.ts'

/** What an upstream can be blamed for. `refused`: it would not say what another one then said. */
export const failures = ['timeout', 'unreachable', 'broken', 'garbage', 'refused'] as const
export type Failure = (typeof failures)[number]

/** One resolver that we ask, and what became of it. */
export class Upstream {
  readonly address: HostPort
  /** `10.0.0.2:53`, as logs and metrics call it. */
  readonly name: string
  readonly health = new UpstreamHealth()
  asked = 0
  /** Messages at our ports for it that were no answers to our questions. */
  strays = 0
  readonly failures: Record<Failure, number> = {
    timeout: 0,
    unreachable: 0,
    broken: 0,
    garbage: 0,
    refused: 0,
  }
  readonly #log: Log

  constructor(address: HostPort, log: Log) {
    this.address = address
    this.name = formatHostPort(address.host, address.port)
    this.#log = log
  }

  answered(roundTripMs: Milliseconds): void {
    if (!this.health.answered(roundTripMs)) return
    this.#log.info({ event: 'upstream-back', upstream: this.name }, 'a resolver answers again')
  }

  failed(why: Failure | Trouble, now: Milliseconds): void {
    // That we are short of something ourselves says nothing of it.
    if (why === 'ours') return
    this.failures[why]++
    if (!this.health.failed(now)) return
    this.#log.warn({ event: 'upstream-out', upstream: this.name, why }, 'a resolver fails')
  }
}
