import { describe, expect, it } from 'vitest'
import { readConfig } from './load.ts'
import { formatProblem } from './problem.ts'

function complaintsAbout(dns: object): string {
  const reading = readConfig(JSON.stringify({ dns }), 'portolan.yaml')
  return reading.ok ? 'it holds' : reading.problems.map(formatProblem).join('\n')
}

describe('dns', () => {
  it('keeps answers for a day at most, which drains would wait for', () => {
    expect(complaintsAbout({ ttl: '24h', negativeTtl: '24h' })).toBe('it holds')
    expect(complaintsAbout({ ttl: '25d' })).toContain('dns.ttl: DNS answers are kept for a day at most')
    expect(complaintsAbout({ negativeTtl: '86401s' })).toContain('dns.negativeTtl: DNS answers are kept')
    expect(complaintsAbout({ ttl: '1500ms' })).toContain('whole seconds')
  })

  it('waits for resolvers for a minute at most', () => {
    expect(complaintsAbout({ forwardTimeout: '1m' })).toBe('it holds')
    expect(complaintsAbout({ forwardTimeout: '61s' })).toContain('dns.forwardTimeout: at most a minute')
  })

  it('takes each domain once, and none of them is none', () => {
    expect(complaintsAbout({ domains: ['none'] })).toContain('dns.domains[0]: `none` is no domain')
    expect(complaintsAbout({ domains: ['a', 'consul'] })).toContain(
      'dns.consulDomains[0]: consul is in domains, too',
    )
    expect(complaintsAbout({ domains: ['a', 'b'], consulDomains: ['c', 'b'] })).toContain(
      'dns.consulDomains[1]: b is in domains, too',
    )
    expect(complaintsAbout({ domains: ['a', 'consul'], consulDomains: [] })).toBe('it holds')
  })
})
