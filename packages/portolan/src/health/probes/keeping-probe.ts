import type { Check, Instance } from '@portolan/core'
import type { Connection } from './connection.ts'
import { lookAtEach } from './each-address.ts'
import { unprobeable } from './findings.ts'
import { KeptConnections } from './kept-connections.ts'
import { type Plan, sameWay } from './plan.ts'
import type { Finding, Probe, ProbeTarget, Running } from './probe.ts'
import { settleSoon } from './settle-soon.ts'

/** What differs between the protocols. */
export interface KeepingParts<Kind extends Check> {
  /** Text for people where the check cannot be run. */
  plan(instance: Instance, check: Kind): Plan<Kind> | string
  /** `idleLost`: the other side has closed a connection that nobody asked anything of. */
  open(host: string, plan: Plan<Kind>, idleLost: (connection: Connection<Kind>) => void): Connection<Kind>
  /** A connection that was kept for the next probe is lost: perhaps the instance is gone. */
  lost?(instance: Instance, check: Kind): void
}

/**
 * A probe that keeps one connection per instance and check, and uses it again unless the look must be fresh. One that the
 * other side has closed meanwhile is replaced once, without blame.
 */
export function keepingProbe<Kind extends Check>(parts: KeepingParts<Kind>): Probe<Kind> {
  const running = new Set<Look<Kind>>()
  const kept = new KeptConnections<Kind>()
  const idleLost = (connection: Connection<Kind>): void => {
    if (kept.delete(connection)) parts.lost?.(connection.plan.instance, connection.plan.check)
  }
  const open = (host: string, plan: Plan<Kind>): Connection<Kind> => parts.open(host, plan, idleLost)

  /** What is kept for this probe, if that may be used, and the plan. */
  const prepare = ({
    instance,
    check,
    fresh,
  }: ProbeTarget<Kind>): [Plan<Kind> | string, Connection<Kind> | undefined] => {
    const held = fresh ? undefined : kept.take(instance, check)
    if (held?.plan.instance === instance && held.plan.check === check) return [held.plan, held]
    const plan = parts.plan(instance, check)
    if (held === undefined || typeof plan === 'string' || sameWay(held.plan, plan)) return [plan, held]
    held.destroy()
    return [plan, undefined]
  }

  return {
    start(target, settle) {
      const [plan, held] = prepare(target)
      if (typeof plan === 'string') {
        held?.destroy()
        return settleSoon(unprobeable(plan), settle)
      }
      const look: Look<Kind> = new Look<Kind>(plan, {
        open,
        settle(finding) {
          running.delete(look)
          settle(finding)
        },
        ended: () => running.delete(look),
        keep: connection => !target.fresh && kept.put(connection),
      })
      running.add(look)
      look.begin(held)
      return look
    },
    async close() {
      for (const look of [...running]) look.cancel()
      kept.close()
    },
  }
}

interface LookEvents<Kind extends Check> {
  open(host: string, plan: Plan<Kind>): Connection<Kind>
  settle(finding: Finding): void
  /** It was cancelled. */
  ended(): void
  /** Returns whether a connection that may be used again is kept. */
  keep(connection: Connection<Kind>): boolean
}

/** One probe: over the connection that was kept, if there is one, and else over a new one. */
class Look<Kind extends Check> implements Running {
  readonly #plan: Plan<Kind>
  readonly #events: LookEvents<Kind>
  #connection: Connection<Kind> | undefined
  #stop: () => void = () => {}
  #over = false

  constructor(plan: Plan<Kind>, events: LookEvents<Kind>) {
    this.#plan = plan
    this.#events = events
  }

  begin(held: Connection<Kind> | undefined): void {
    if (held === undefined) {
      this.#anew()
      return
    }
    this.#stop = () => held.destroy()
    this.#ask(held, finding => this.#settle(finding))
  }

  cancel(): void {
    // Once it has settled, its connection may be kept for another probe.
    if (this.#over) return
    this.#over = true
    this.#events.ended()
    this.#stop()
  }

  waitingFor(): string {
    return this.#connection?.waitingFor ?? 'no connection'
  }

  #anew(): void {
    this.#stop = lookAtEach(
      this.#plan.addresses,
      (host, settle) => {
        const connection = this.#events.open(host, this.#plan)
        this.#ask(connection, settle)
        return () => connection.destroy()
      },
      finding => this.#settle(finding),
    )
  }

  #settle(finding: Finding): void {
    this.#over = true
    this.#events.settle(finding)
  }

  #ask(connection: Connection<Kind>, settle: (finding: Finding) => void): void {
    this.#connection = connection
    connection.ask(this.#plan, {
      found: (finding, reusable) => {
        if (reusable && !this.#events.keep(connection)) connection.destroy()
        settle(finding)
      },
      stale: () => this.#anew(),
    })
  }
}
