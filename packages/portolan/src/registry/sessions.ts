import type { Gauge } from 'prom-client'
import type { Silence } from './protection.ts'
import type { Holds } from './records.ts'

export type SessionState = 'alive' | 'silent'

/**
 * What the registry knows of connections: facts about them, and no conclusion about instances. It counts silent
 * sessions, and those that closed with instances still registered, so that a mass loss can be told from a crash.
 */
export class Sessions {
  readonly #states = new Map<string, SessionState>()
  /** Closed while something was still registered through it. */
  readonly #lost = new Set<string>()
  readonly #self: string
  readonly #gauge: Gauge<'state'>

  /** `self` = this server's own run, which holds the processes that it supervises: always alive, never counted. */
  constructor(self: string, gauge: Gauge<'state'>) {
    this.#self = self
    this.#gauge = gauge
  }

  stateOf(session: string): SessionState | undefined {
    return this.#states.get(session)
  }

  isAlive(session: string | undefined): boolean {
    return session !== undefined && (session === this.#self || this.#states.get(session) === 'alive')
  }

  /** Whether anything holds the instance, so that it needs no lease. */
  isHolding({ session, process, static: isStatic }: Holds): boolean {
    return isStatic === true || this.isAlive(session) || this.isAlive(process)
  }

  /** Whether a session of it is connected, be it silent. */
  isOpenFor({ session, process }: Holds): boolean {
    return [session, process].some(holder => holder !== undefined && this.#states.has(holder))
  }

  /**
   * Whether this session speaks for the instance: the program's own does, and its supervisor's while that is away.
   */
  isWitness(session: string, held: Holds): boolean {
    return held.session === session || (held.process === session && !this.isAlive(held.session))
  }

  set(session: string, state: SessionState): void {
    this.#states.set(session, state)
    this.#lost.delete(session)
    this.#observe()
  }

  /** Forgets a session; `lost` = something is still registered through it. Answers the state that it had. */
  close(session: string, lost: boolean): SessionState | undefined {
    const state = this.#states.get(session)
    this.#states.delete(session)
    if (lost) this.#lost.add(session)
    this.#observe()
    return state
  }

  /** Of all sessions, how many are silent or lost. `stillHolds` = something is registered through it even now. */
  silence(stillHolds: (session: string) => boolean): Silence {
    for (const session of this.#lost) if (!stillHolds(session)) this.#lost.delete(session)
    return { all: this.#states.size + this.#lost.size, silent: this.#silent() + this.#lost.size }
  }

  #silent(): number {
    let silent = 0
    for (const state of this.#states.values()) if (state === 'silent') silent++
    return silent
  }

  #observe(): void {
    const silent = this.#silent()
    this.#gauge.set({ state: 'silent' }, silent)
    this.#gauge.set({ state: 'alive' }, this.#states.size - silent)
  }
}
