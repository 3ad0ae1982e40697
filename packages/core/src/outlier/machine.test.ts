import { describe, expect, it } from 'vitest'
import { anIllInstance, anInstance, aSet } from '../balance/testing/sets.ts'
import { World } from './testing/world.ts'

describe('ejection', () => {
  it('takes one refused connection: nothing listens', () => {
    const world = new World(3)
    world.fails('i-0', 'refused')
    expect(world.healthy).toEqual(['i-1', 'i-2'])
    expect(world.balancer.ejections).toMatchObject({ refused: 1 })
    const [cause] = world.balancer.set?.instances[0]?.causes ?? []
    expect(cause).toMatchObject({ kind: 'outlier', owner: 'local' })
  })

  it('takes three broken connections or five failed answers in a row, with no success between', () => {
    const world = new World(6)
    world.fails('i-0', 'broken', 2)
    world.fails('i-1', 'response', 4)
    expect(world.healthy).toHaveLength(6)
    world.succeeds('i-0')
    world.succeeds('i-1')
    world.fails('i-0', 'timeout', 2)
    world.fails('i-1', 'response', 4)
    expect(world.healthy).toHaveLength(6)
    world.fails('i-0', 'broken')
    world.fails('i-1', 'response')
    expect(world.healthy).toEqual(['i-2', 'i-3', 'i-4', 'i-5'])
    expect(world.balancer.ejections).toMatchObject({ broken: 1, 'consecutive-5xx': 1 })
  })

  it('is not made of kept connections that ended: any server closes those some time', () => {
    const world = new World(2)
    world.fails('i-0', 'parted', 100)
    expect(world.healthy).toHaveLength(2)
    expect(world.told).toHaveLength(1)
  })

  it('leaves half of the service, rounded up, or as many as it is told', () => {
    const half = new World(5)
    for (const id of ['i-0', 'i-1', 'i-2', 'i-3']) half.fails(id, 'response', 5)
    expect(half.healthy).toEqual(['i-2', 'i-3', 'i-4'])
    expect(half.balancer.withheld).toBe(2)
    const four = new World(5, { keepAtLeast: 4 })
    for (const id of ['i-0', 'i-1']) four.fails(id, 'response', 5)
    expect(four.healthy).toEqual(['i-1', 'i-2', 'i-3', 'i-4'])
    expect(new World(1).healthy).toEqual(['i-0'])
  })

  it('keeps nobody for the sake of a number who refuses connections, and lets others back in instead', () => {
    const world = new World(4)
    for (const id of ['i-0', 'i-1']) world.fails(id, 'response', 5)
    expect(world.healthy).toEqual(['i-2', 'i-3'])
    world.fails('i-2', 'refused')
    expect(world.healthy).toEqual(['i-0', 'i-3'])
    for (const id of ['i-0', 'i-1', 'i-3']) world.fails(id, 'refused')
    expect(world.healthy).toEqual([])
    expect(world.balancer.panic).toBe(true)
  })

  it('stays at the registry’s revision and leaves the registry’s set alone', () => {
    const world = new World(2)
    const set = aSet([anInstance('i-0'), anInstance('i-1')], 7)
    world.balancer.update(set)
    world.fails('i-0', 'refused')
    expect(world.balancer.set?.cursor).toEqual(set.cursor)
    expect(set.instances[0]?.causes).toEqual([])
  })

  it('is over with the run that it was about', () => {
    const world = new World(2)
    world.fails('i-0', 'refused')
    world.balancer.update(aSet([anInstance('i-0', { incarnation: 2 }), anInstance('i-1')], 2))
    expect(world.healthy).toEqual(['i-0', 'i-1'])
    const old = new World(2)
    const leaving = old.endpoint('i-0')
    old.balancer.update(aSet([anInstance('i-1')], 2))
    old.balancer.failed(leaving, 'refused')
    expect(old.balancer.outliers).toBe(0)
  })

  it('counts whom the registry took out neither among the kept nor as an ejection to be withheld', () => {
    const world = new World(4)
    world.balancer.update(
      aSet([anIllInstance('i-0', 'http'), ...['i-1', 'i-2', 'i-3'].map(id => anInstance(id))]),
    )
    world.fails('i-1', 'response', 5)
    world.fails('i-2', 'response', 5)
    expect(world.healthy).toEqual(['i-2', 'i-3'])
    world.fails('i-0', 'response', 5)
    expect(world.balancer.outliers).toBe(2)
  })
})

describe('the way back', () => {
  it('is one request on trial: a success brings the instance back', () => {
    const world = new World(2)
    world.fails('i-0', 'refused')
    world.pass(999)
    expect(world.healthy).toEqual(['i-1'])
    world.pass(1)
    expect(world.healthy).toEqual(['i-0', 'i-1'])
    const picks = Array.from({ length: 50 }, () => world.balancer.pick())
    const trials = picks.filter(picked => picked?.id === 'i-0')
    expect(trials).toHaveLength(1)
    expect(world.healthy).toEqual(['i-1'])
    for (const picked of trials) if (picked !== undefined) world.balancer.succeeded(picked, 1)
    expect(world.healthy).toEqual(['i-0', 'i-1'])
  })

  it('is never made with a request that has failed already, while anybody else is left', () => {
    const world = new World(6)
    const dead = ['i-0', 'i-1', 'i-2', 'i-3']
    for (const id of dead) world.fails(id, 'refused')
    world.pass(1000)
    for (let request = 0; request < 50; request++) {
      const second = world.balancer.pick({ tried: [world.endpoint('i-4')] })
      expect(second?.id).toBe('i-5')
      expect(second?.inFlight).toBe(1)
      if (second !== undefined) world.balancer.cancelled(second)
    }
    for (const id of dead) expect(world.endpoint(id).inFlight).toBe(0)
    const third = world.balancer.pick({ tried: [world.endpoint('i-4'), world.endpoint('i-5')] })
    expect(dead).toContain(third?.id)
    expect(third?.inFlight).toBe(1)
  })

  it('takes twice as long after each failed trial, up to four seconds', () => {
    const world = new World(2)
    const trials: number[] = []
    world.fails('i-0', 'refused')
    for (let step = 0; step < 20_000; step += 50) {
      world.pass(50)
      for (let count = 0; count < 20; count++) {
        const picked = world.balancer.pick()
        if (picked === undefined) continue
        if (picked.id === 'i-1') world.balancer.succeeded(picked, 1)
        else {
          trials.push(world.clock.at)
          world.balancer.failed(picked, 'refused')
        }
      }
    }
    const gaps = trials.map((at, index) => at - (trials[index - 1] ?? 0))
    expect(gaps.map(gap => Math.round(gap / 1000))).toEqual([1, 2, 4, 4, 4, 4])
  })

  it('is not decided by requests that were under way at the ejection', () => {
    const world = new World(2)
    const before = Array.from({ length: 3 }, () => {
      const endpoint = world.endpoint('i-0')
      endpoint.inFlight += 1
      return endpoint
    })
    world.fails('i-0', 'response', 5)
    const [first, second, third] = before
    if (first === undefined || second === undefined || third === undefined) throw new Error('too few')
    world.balancer.succeeded(first, 1)
    world.balancer.failed(second, 'response', 500)
    world.balancer.cancelled(third)
    expect(world.healthy).toEqual(['i-1'])
    expect(world.balancer.nextRelease).toBe(1000)
    // But by one that was sent there since, as happens when nobody is healthy.
    world.succeeds('i-0')
    expect(world.healthy).toEqual(['i-0', 'i-1'])
  })

  it('succeeds as soon as a tunnel is granted, which goes on', () => {
    const world = new World(2)
    world.fails('i-0', 'refused')
    world.pass(1000)
    const trial = Array.from({ length: 50 }, () => world.balancer.pick()).find(picked => picked?.id === 'i-0')
    if (trial === undefined) throw new Error('no trial')
    world.balancer.accepted(trial, 1)
    expect(world.healthy).toEqual(['i-0', 'i-1'])
    expect(world.endpoint('i-0').inFlight).toBe(1)
    world.balancer.cancelled(trial)
    expect(world.healthy).toEqual(['i-0', 'i-1'])
    expect(world.endpoint('i-0').inFlight).toBe(0)
  })

  it('tries again when a trial was cancelled, or says nothing for half a minute', () => {
    const world = new World(2)
    const trial = () =>
      Array.from({ length: 50 }, () => world.balancer.pick()).find(picked => picked?.id === 'i-0')
    world.fails('i-0', 'refused')
    world.pass(1000)
    const cancelled = trial()
    if (cancelled === undefined) throw new Error('no trial')
    world.balancer.cancelled(cancelled)
    expect(world.healthy).toEqual(['i-0', 'i-1'])
    expect(trial()).toBeDefined()
    world.pass(29_999)
    expect(trial()).toBeUndefined()
    world.pass(1)
    expect(trial()).toBeDefined()
  })

  it('is forgiven, one ejection for ten good seconds', () => {
    const world = new World(2)
    world.fails('i-0', 'refused')
    world.pass(1000)
    const good = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        world.pass(1000)
        world.succeeds('i-0')
      }
    }
    good(5)
    world.fails('i-0', 'refused')
    expect(world.balancer.nextRelease).toBe(world.clock.at + 2000)
    world.pass(2000)
    good(30)
    world.fails('i-0', 'refused')
    expect(world.balancer.nextRelease).toBe(world.clock.at + 1000)
  })

  it('keeps what was learned when the policy changes', async () => {
    const { policyByName } = await import('../balance/policies.ts')
    const world = new World(3)
    world.fails('i-0', 'response', 5)
    world.fails('i-1', 'response', 4)
    world.balancer.usePolicy(policyByName('round-robin'))
    expect(world.healthy).toEqual(['i-1', 'i-2'])
    world.pass(1000)
    expect(world.healthy).toEqual(['i-0', 'i-1', 'i-2'])
  })
})
