import type { Endpoint, LocalBalancer } from '@portolan/core'

/** Answers of instances by what became of the cookie that came with the request. */
export interface StayCounts {
  /** The instance that it names has answered. */
  kept: number
  /** That one had no room: another one has answered this once. */
  busy: number
  /** That one may not be picked, or has failed: the client belongs to another one now. */
  moved: number
  /** The same, where that instance has gone altogether. */
  lost: number
  /** It was not one of ours. */
  invalid: number
  /** There was none. */
  new: number
}

export type StayResult = keyof StayCounts

/** An instance as cookies name it. */
export interface Seat {
  /** As the newest set has it. */
  endpoint: Endpoint
  /** What a cookie says that names it. */
  readonly value: string
  /** The field line that gives a client that cookie, with CRLF. */
  readonly line: string
}

/** What a stay asks of the service's affinity. */
export interface Seats {
  readonly counts: StayCounts
  /** Whom such a cookie names. */
  named(value: string): Seat | undefined
  /** Who is to be named by the cookie of whoever stays there. */
  seatOf(endpoint: Endpoint): Seat | undefined
  /** Whether it was signed by us, whoever it names. */
  isSigned(value: string): boolean
}

/** A try that brought no answer. */
interface FailedTry {
  readonly endpoint: Endpoint
  readonly failure: string
  readonly connection: { readonly reused: boolean; readonly answering: boolean }
}

/** One request of a service whose clients stay where they were: at home. */
export class Stay {
  readonly #seats: Seats
  /** What its cookie says; `undefined`: it has none. */
  readonly #cookie: string | undefined
  #seat: Seat | undefined
  #home: Endpoint | undefined
  /** Whether a kept connection to its home has parted. */
  #parted = false

  constructor(seats: Seats, cookie: string | undefined) {
    this.#seats = seats
    this.#cookie = cookie
  }

  /**
   * Picks its home, if that may be picked and has not failed it; `undefined`: the policy is to pick. Where requests wait in
   * line it waits behind them, for whoever is free first, and stays where it was.
   */
  take(balancer: LocalBalancer, hasLine: boolean, failed: FailedTry | undefined): Endpoint | undefined {
    if (this.#cookie === undefined) return undefined
    this.#seat = this.#seats.named(this.#cookie)
    const home = this.#seat?.endpoint
    this.#home = undefined
    if (home === undefined || !balancer.mayPick(home) || this.#wasFailed(home, failed)) return undefined
    this.#home = home
    return !hasLine && balancer.claim(home) ? home : undefined
  }

  /**
   * The line that the client gets with that instance's answer, empty where its cookie stays as it is.
   * @param tried those that have failed this request
   */
  lineBy(endpoint: Endpoint | undefined, tried: readonly Endpoint[]): string {
    const home = this.#home
    const seat = endpoint === undefined ? undefined : this.#seats.seatOf(endpoint)
    const result = this.#result(endpoint, home, tried)
    this.#seats.counts[result]++
    if (result === 'busy' || seat === undefined || seat.value === this.#cookie) return ''
    return seat.line
  }

  #result(
    endpoint: Endpoint | undefined,
    home: Endpoint | undefined,
    tried: readonly Endpoint[],
  ): StayResult {
    if (this.#cookie === undefined) return 'new'
    if (home !== undefined && endpoint === home) return 'kept'
    if (home !== undefined && !tried.includes(home)) return 'busy'
    if (this.#seat !== undefined) return 'moved'
    return this.#seats.isSigned(this.#cookie) ? 'lost' : 'invalid'
  }

  /** A kept connection that has parted says nothing of an instance: nobody loses his session over one, nor over two. */
  #wasFailed(home: Endpoint, failed: FailedTry | undefined): boolean {
    if (failed?.endpoint !== home) return false
    const { failure, connection } = failed
    const parted = failure === 'lost' && connection.reused && !connection.answering
    if (!parted || this.#parted) return true
    this.#parted = true
    return false
  }
}

/** What the client gets beside the instance's own fields. */
export function answerLines(
  request: { readonly answerLines: string } | undefined,
  stay: Stay | undefined,
  endpoint: Endpoint | undefined,
  tried: readonly Endpoint[],
): string {
  const lines = request?.answerLines ?? ''
  return stay === undefined ? lines : lines + stay.lineBy(endpoint, tried)
}
