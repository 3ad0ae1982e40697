import { describe, expect, it } from 'vitest'
import { type CauseKind, causeKinds } from '../instance/cause.ts'
import { eligible } from './eligible.ts'
import type { Endpoint } from './picker.ts'
import { anEndpoint } from './testing/endpoint.ts'
import { anIllInstance } from './testing/sets.ts'

function endpoint(id: string, kinds: readonly CauseKind[], weight = 1): Endpoint {
  return anEndpoint(id, { instance: anIllInstance(id, ...kinds), weight })
}

/** Who of a, b, c … is eligible, when each carries the causes given. */
function chosen(...kinds: readonly (readonly CauseKind[])[]): string {
  const endpoints = kinds.map((own, index) => endpoint(String.fromCharCode(97 + index), own))
  const { endpoints: found, panic } = eligible(endpoints)
  return found.map(({ id }) => id).join('') + (panic ? '!' : '')
}

describe('eligible', () => {
  it.each(causeKinds)('leaves out an instance with the cause %s while another has none', kind => {
    expect(chosen([kind], [])).toBe('b')
  })

  it('fails open by coarse ranks, the worst cause of each counting', () => {
    expect(chosen(['http'], ['disconnected'], ['outlier'], ['ttl', 'script', 'grpc'])).toBe('abcd!')
    expect(chosen(['tcp'], ['http'], ['starting'])).toBe('b!')
    expect(chosen(['tcp', 'http'], ['http', 'starting'])).toBe('ab!')
    expect(chosen(['draining'], ['tcp'], ['draining', 'http'])).toBe('b!')
    expect(chosen(['draining'], ['operator'], ['draining', 'tcp'])).toBe('ac!')
  })

  it('leaves out, among equals, whom our own requests or its session found out beside what others say', () => {
    expect(chosen(['disconnected', 'tcp'], ['tcp', 'outlier'], ['tcp'])).toBe('c!')
    expect(chosen(['disconnected', 'tcp'], ['disconnected', 'tcp'])).toBe('ab!')
    expect(chosen(['disconnected', 'tcp'], ['disconnected', 'tcp', 'outlier'])).toBe('a!')
    expect(chosen(['disconnected', 'http'], ['http'], ['disconnected'], ['http', 'ttl'])).toBe('bcd!')
    expect(chosen(['disconnected', 'outlier'], ['tcp'])).toBe('a!')
    expect(chosen(['disconnected', 'outlier'], ['outlier'])).toBe('b!')
    expect(chosen(['tcp', 'outlier'], ['tcp', 'outlier'])).toBe('ab!')
  })

  it('never picks what an operator took out', () => {
    expect(chosen(['operator'])).toBe('')
    expect(chosen(['operator', 'http'], ['operator'])).toBe('')
    expect(chosen()).toBe('')
  })

  it('gives weight 0 no traffic, in panic neither', () => {
    const idle = endpoint('idle', [], 0)
    const ill = endpoint('ill', ['http'])
    expect(eligible([idle])).toEqual({ endpoints: [], panic: false })
    expect(eligible([idle, ill])).toEqual({ endpoints: [ill], panic: true })
  })

  it('takes a cause of a kind that it does not know as one that may still serve', () => {
    const odd = endpoint('odd', ['quantum' as CauseKind])
    expect(eligible([odd, endpoint('b', ['tcp'])])).toEqual({ endpoints: [odd], panic: true })
  })
})
