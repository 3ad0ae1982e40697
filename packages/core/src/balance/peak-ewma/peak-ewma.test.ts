import { describe, expect, it } from 'vitest'
import { adaptive } from '../adaptive/adaptive.ts'
import type { Policy } from '../picker.ts'
import { balancerOf, equal, learningContract, serve } from '../testing/learning-contract.ts'
import { peakEwma } from './peak-ewma.ts'

learningContract('peak-ewma', peakEwma)

describe('peak-ewma', () => {
  it('avoids who has answered late at once, where adaptive waits for a second', () => {
    const costAfter = (policy: Policy): number => {
      const balancer = balancerOf(policy, equal(10))
      serve(balancer, 5, () => 10)
      const picked = balancer.pick()
      if (picked === undefined) throw new Error('nothing to pick')
      balancer.done(picked, 'success', 80)
      return picked.learned.cost
    }
    expect(costAfter(peakEwma())).toBeCloseTo(80 / 10, 1)
    expect(costAfter(adaptive())).toBeCloseTo(1, 5)
  })
})
