import type { Random } from '../../time/clock.ts'
import { Candidates } from '../drawing/candidates.ts'
import { type Endpoint, type PickContext, type Picker, type Policy, trivialPicker } from '../picker.ts'

/** Each pick by weight and by chance alone, in constant time (see `Lots`). */
export function randomChoice(): Policy {
  return (endpoints, random) => trivialPicker(endpoints) ?? new RandomPicker(endpoints, random)
}

class RandomPicker implements Picker {
  readonly #candidates: Candidates

  constructor(endpoints: readonly Endpoint[], random: Random) {
    this.#candidates = new Candidates(endpoints, random)
  }

  pick(context?: PickContext): Endpoint | undefined {
    const candidates = this.#candidates
    const tried = context?.tried
    if (tried === undefined || tried.length === 0) return candidates.all[candidates.draw()]
    const index = candidates.drawUntried(tried)
    return candidates.all[index >= 0 ? index : candidates.draw()]
  }
}
