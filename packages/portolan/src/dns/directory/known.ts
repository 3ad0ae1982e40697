import {
  eligible,
  emptySet,
  type Instance,
  type InstanceSet,
  type Milliseconds,
  type ServiceName,
  type Unsubscribe,
} from '@portolan/core'
import type { KnownService } from './directory.ts'
import { LettingGo } from './letting-go.ts'

/** One service as the directory keeps it. */
export class Known implements KnownService {
  readonly name: ServiceName
  version: number
  set: InstanceSet
  eligible: readonly Instance[] = []
  panic = false
  /** Whether a registry has told who is in it. */
  isTold = false
  /** Whether its set is the last one that was known, and no registry is there to correct it. */
  isStale = false
  /** Whether the registry still calls it one of its services. */
  isListed = true
  /** When an answer was last made from it. */
  answeredAt: Milliseconds = Number.NEGATIVE_INFINITY
  readonly letting: LettingGo
  stopLetting: () => void = () => {}
  unsubscribe: Unsubscribe = () => {}

  constructor(name: ServiceName, version: number, ttlMs: Milliseconds) {
    this.name = name
    this.version = version
    this.set = emptySet(name)
    this.letting = new LettingGo(ttlMs)
  }

  /** Whether nothing is left of it that anybody could be told. */
  get isOver(): boolean {
    return !this.isListed && this.set.instances.length === 0
  }

  take(set: InstanceSet): void {
    const candidates = set.instances.map(instance => ({ instance, weight: instance.weight }))
    const { endpoints, panic } = eligible(candidates)
    this.set = set
    this.eligible = endpoints.map(({ instance }) => instance)
    this.panic = panic
  }
}
