import type { InstanceOutcomes, Milliseconds, Random } from '@portolan/core'
import type { Expiring } from './deadlines.ts'
import type { PathContext } from './path-context.ts'
import type { Service } from './service.ts'
import type { Services } from './services.ts'

/** How often peers are compared and the registry is told. */
const beatMs: Milliseconds = 1000

/**
 * Looks after what requests count up without thinking: lets outliers back in on trial when their time is over, and
 * about once a second compares the instances of each service that had requests, and reports of them.
 */
export class Outlook implements Expiring {
  /** Due at every sweep. */
  readonly deadline: Milliseconds = 0
  readonly #path: PathContext
  readonly #services: Services
  readonly #random: Random
  readonly #cpuMs: () => Milliseconds
  #beatAt: Milliseconds
  #cpuSoFar: Milliseconds

  constructor(path: PathContext, services: Services, random: Random, cpuMs: () => Milliseconds) {
    this.#path = path
    this.#services = services
    this.#random = random
    this.#cpuMs = cpuMs
    this.#cpuSoFar = cpuMs()
    this.#beatAt = this.#nextBeat()
    path.deadlines.add(this)
  }

  expire(): void {
    for (const { balancer } of this.#services.all()) balancer.release()
    if (this.#path.deadlines.now < this.#beatAt) return
    this.#beatAt = this.#nextBeat()
    this.#beat()
  }

  close(): void {
    this.#path.deadlines.delete(this)
  }

  #beat(): void {
    const busy: { readonly service: Service; readonly outcomes: readonly InstanceOutcomes[] }[] = []
    let total = 0
    for (const service of this.#services.all()) {
      const outcomes = service.balancer.untold()
      if (outcomes.length > 0) {
        busy.push({ service, outcomes })
        total += requests(outcomes)
        service.balancer.sweep()
      } else service.beginReport()
    }
    const cpuMs = this.#cpuMs()
    const used = cpuMs - this.#cpuSoFar
    this.#cpuSoFar = cpuMs
    for (const { service, outcomes } of busy) {
      // Nobody can tell what a service's requests cost, only what all cost: each counts the same.
      service.report(outcomes, (used * requests(outcomes)) / total)
      service.beginReport()
    }
  }

  /** Jittered, so that many gateways do not report in chorus. */
  #nextBeat(): Milliseconds {
    return this.#path.deadlines.now + beatMs * (0.9 + 0.2 * this.#random())
  }
}

function requests(outcomes: readonly InstanceOutcomes[]): number {
  return outcomes.reduce((sum, { ok, failed }) => sum + ok + failed, 0)
}
