import { Learned } from '../cost/learned.ts'
import type { Endpoint } from '../picker.ts'
import { Tally } from '../tally.ts'
import { anInstance } from './sets.ts'

/** An endpoint of which nothing is remarkable but what `changes` says. */
export function anEndpoint(id: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    id,
    instance: anInstance(id),
    weight: 1,
    inFlight: 0,
    tally: new Tally(),
    learned: new Learned(),
    leaving: false,
    ...changes,
  }
}
