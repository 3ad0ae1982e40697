import type { Endpoint } from '../../balance/picker.ts'
import { policyByName } from '../../balance/policies.ts'
import type { Trouble } from '../../balance/tally.ts'
import { anInstance, aSet } from '../../balance/testing/sets.ts'
import { isHealthy } from '../../instance/instance.ts'
import type { InstanceOutcomes } from '../../session/messages.ts'
import { type Milliseconds, seededRandom } from '../../time/clock.ts'
import { LocalBalancer } from '../local-balancer.ts'
import type { OutlierSettings } from '../settings.ts'

/** A clock that a test moves. */
export class HandClock {
  at: Milliseconds = 0

  now(): Milliseconds {
    return this.at
  }
}

/** A local balancer over instances `i-0`, `i-1`, …, its clock, and what it told. */
export class World {
  readonly clock = new HandClock()
  readonly told: InstanceOutcomes[] = []
  readonly balancer: LocalBalancer

  constructor(instances: number, outliers: Partial<OutlierSettings> = {}) {
    this.balancer = new LocalBalancer({
      policy: policyByName('random'),
      random: seededRandom(7),
      clock: this.clock,
      outliers,
      suspect: outcomes => this.told.push(outcomes),
    })
    this.balancer.update(aSet(Array.from({ length: instances }, (_, index) => anInstance(`i-${index}`))))
  }

  endpoint(id: string): Endpoint {
    const found = this.balancer.endpoints.find(endpoint => endpoint.id === id)
    if (found === undefined) throw new Error(`no ${id}`)
    return found
  }

  /** Instances without a cause, the local one included. */
  get healthy(): readonly string[] {
    return (this.balancer.set?.instances ?? []).filter(isHealthy).map(({ id }) => id)
  }

  /** Moves on, as an owner of the balancer's timers would have it. */
  pass(ms: Milliseconds): void {
    const end = this.clock.at + ms
    while (this.clock.at < end) {
      this.clock.at = Math.min(end, this.balancer.nextRelease ?? end, this.clock.at + 1000)
      this.balancer.release()
      this.balancer.sweep()
    }
  }

  /** A request to that very instance, whoever a picker would have chosen. */
  fails(id: string, trouble: Trouble, times = 1): void {
    const endpoint = this.endpoint(id)
    for (let time = 0; time < times; time++) {
      endpoint.inFlight += 1
      this.balancer.failed(endpoint, trouble, trouble === 'response' ? 500 : 0)
    }
  }

  succeeds(id: string, ms = 1): void {
    const endpoint = this.endpoint(id)
    endpoint.inFlight += 1
    this.balancer.succeeded(endpoint, ms)
  }
}
