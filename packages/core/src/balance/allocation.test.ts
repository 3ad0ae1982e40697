import type { HeapProfiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../time/clock.ts'
import { Balancer } from './balancer.ts'
import { composedPolicy } from './composed.ts'
import { type PolicyName, policyNames } from './policies.ts'
import { weightedSet } from './testing/sets.ts'

const picks = 200_000
/** One allocation is noted in so many bytes of them, on average. */
const samplingInterval = 256

/** Bytes that `run` allocates, garbage included, as the sampling heap profiler sees them. */
async function allocatedBy(run: () => void): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  run()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  return sizeOf(profile.head)
}

function sizeOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize)
}

/** All that happens on the way of a request: some in flight all the while, each answer learned from. */
function course(policy: PolicyName, weights: readonly number[]): () => void {
  const balancer = new Balancer(composedPolicy({ policy }), seededRandom(1))
  balancer.update(weightedSet(weights))
  const open = Array.from({ length: 32 }, () => balancer.pick())
  const contexts = Array.from({ length: 64 }, (_, key) => ({ hashKey: `user-${key}` }))
  return () => {
    for (let count = 0; count < picks; count++) {
      const slot = count % open.length
      const ended = open[slot]
      if (ended !== undefined) balancer.done(ended, 'success', 10.5)
      open[slot] = balancer.pick(contexts[count % contexts.length])
    }
  }
}

describe.each(policyNames)('pick and done by %s', policy => {
  it.each([
    ['10 equal', Array<number>(10).fill(1)],
    ['1,000 weighted', Array.from({ length: 1000 }, (_, index) => 1 + (index % 10))],
  ])('allocate nothing that a heap profile can see: %s', async (_title, weights) => {
    const run = course(policy, weights)
    // Twice for the compilers, whose own objects lie on the same heap.
    run()
    run()
    expect((await allocatedBy(run)) / picks).toBeLessThan(1)
  })
})

describe('the heap profile', () => {
  it('sees an allocation of one small object a pick', async () => {
    const kept: unknown[] = []
    const bytes = await allocatedBy(() => {
      for (let count = 0; count < picks; count++) kept[count % 8] = { count }
    })
    expect(bytes / picks).toBeGreaterThan(8)
  })
})
