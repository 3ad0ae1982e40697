import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Course } from './course.ts'
import { UpstreamHealth } from './health.ts'

const upstreams = (count: number) => Array.from({ length: count }, () => new UpstreamHealth())

function takeOut(health: UpstreamHealth | undefined, now = 0): void {
  for (let count = 0; count < 3; count++) health?.failed(now)
}

function order(course: Course, now = 0): number[] {
  const all: number[] = []
  for (let step = course.next(now); step !== undefined; step = course.next(now)) all.push(step.upstream)
  return all
}

describe('the course of a question', () => {
  it('asks in the order of the configuration, everybody once before anybody twice, and three times at most', () => {
    expect(order(new Course(upstreams(2)))).toEqual([0, 1, 0, 1, 0, 1])
  })

  it('asks those that are in first', () => {
    const healths = upstreams(3)
    takeOut(healths[0])
    expect(order(new Course(healths)).slice(0, 3)).toEqual([1, 2, 0])
  })

  it('asks whoever is there when all are out', () => {
    const healths = upstreams(2)
    for (const health of healths) takeOut(health)
    expect(order(new Course(healths))).toEqual([0, 1, 0, 1, 0, 1])
  })

  it('asks nobody again who has answered', () => {
    const course = new Course(upstreams(2))
    expect(course.next(0)?.upstream).toBe(0)
    course.done(0)
    expect(order(course)).toEqual([1, 1, 1])
  })

  it('tries one that was out beside one that is in, one question at a time', () => {
    const healths = upstreams(2)
    takeOut(healths[0])
    const course = new Course(healths)
    expect(course.next(1000)).toMatchObject({ upstream: 0, trial: true })
    expect(course.next(1000)).toMatchObject({ upstream: 1, trial: false })
    expect(new Course(healths).next(1000)).toMatchObject({ upstream: 1, trial: false })
  })

  it('waits for the trial where nobody else is in', () => {
    const healths = upstreams(1)
    takeOut(healths[0])
    expect(new Course(healths).next(1000)).toMatchObject({ upstream: 0, trial: false })
  })

  it('ends, whatever the upstreams have done before', () => {
    const history = fc.array(fc.tuple(fc.nat(3), fc.boolean(), fc.nat(3000)))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), history, (count, events) => {
        const healths = upstreams(count)
        let now = 0
        for (const [at, isGood, ms] of events) {
          now += ms
          if (isGood) healths[at % count]?.answered(ms)
          else healths[at % count]?.failed(now)
        }
        const asked = order(new Course(healths), now)
        expect(asked.length).toBe(3 * count)
        expect(new Set(asked).size).toBe(count)
      }),
    )
  })
})
