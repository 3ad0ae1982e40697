import { describe, expect, it } from 'vitest'
import { readConfig } from './load.ts'
import { formatProblem } from './problem.ts'
import { routeTable } from './resolve.ts'

function reading(balancer: string) {
  return readConfig(`services:\n  order:\n    balancer: { ${balancer} }\n`, 'portolan.yaml')
}

/** What `portolan check` says of it. */
function said(balancer: string): string {
  const found = reading(balancer)
  const problems = found.ok ? found.loaded.warnings : found.problems
  return problems.map(formatProblem).join('\n')
}

describe('no slow start', () => {
  it.each(['none', '0', '"0"', '0s', '0ms', '0 s'])('is asked for by %s', written => {
    const found = reading(`slowStart: ${written}`)
    if (!found.ok) throw new Error(said(`slowStart: ${written}`))
    expect(found.loaded.config.services.order?.balancer.slowStart).toBe(0)
    expect(routeTable(found.loaded.config, []).balance).toEqual({ order: { slowStartMs: 0 } })
  })

  it.each([
    ['30', 'the number 30 is not a duration\n    say the unit: 30s, or 30ms'],
    ['-1', 'the number -1 is not a duration\n    write a number and a unit (500ms, 3s, 5m, 1h), or none'],
    ['soon', '"soon" is not a duration\n    write a number and a unit (500ms, 3s, 5m, 1h), or none'],
    ['[]', 'a list is not a duration\n    write a number and a unit (500ms, 3s, 5m, 1h), or none'],
  ])('is no reason to take %s', (written, words) => {
    expect(said(`slowStart: ${written}`)).toBe(
      `portolan.yaml:3:28: services.order.balancer.slowStart: ${words}`,
    )
  })
})

describe('the strict bound of ring-hash', () => {
  it.each([1, 1.25, 10])('is a factor: %d', factor => {
    const written = `policy: ring-hash, hashBy: address, hashBalanceFactor: ${factor}`
    const found = reading(written)
    if (!found.ok) throw new Error(said(written))
    expect(routeTable(found.loaded.config, []).balance).toEqual({
      order: { hashBy: 'address', hashBalanceFactor: factor },
    })
  })

  const example = 'write 1.25 for no more than 1.25 times its share'
  it.each([
    ['0.99', 'the number 0.99', example],
    ['0', 'the number 0', example],
    ['-2', 'the number -2', example],
    ['10.5', 'the number 10.5', example],
    ['125', 'the number 125', 'it is no percentage here: write 1.25'],
    ['1e999', 'the number Infinity', example],
    ['.nan', 'the number NaN', example],
    ['"1.25"', '"1.25"', example],
    ['none', '"none"', example],
  ])('is not %s', (written, what, hint) => {
    expect(said(`policy: ring-hash, hashBy: address, hashBalanceFactor: ${written}`)).toBe(
      `portolan.yaml:3:72: services.order.balancer.hashBalanceFactor: ${what} is no factor from 1 to 10\n    ${hint}`,
    )
  })

  it.each([
    ['policy: maglev, hashBy: address, hashBalanceFactor: 1.25', '3:50', 'maglev'],
    ['hashBalanceFactor: 2', '3:17', 'least-request'],
  ])('is nothing to other policies: %s', (written, where, policy) => {
    expect(reading(written).ok).toBe(true)
    expect(said(written)).toBe(
      `portolan.yaml:${where}: services.order.balancer.hashBalanceFactor: hashBalanceFactor is not looked at under the policy ${policy}\n` +
        '    write policy: ring-hash beside it, or leave it out',
    )
  })
})

describe('keys and policies', () => {
  const spread = 'the gateway spreads these requests by chance: they have no key'
  const ignored = 'hashBy is not looked at under the policy'

  it.each([
    ['policy: ring-hash, hashBy: address', ''],
    ['policy: maglev, hashBy: "cookie:sid"', ''],
    ['policy: random', ''],
    ['subset: 3', ''],
    ['policy: ring-hash, hashBy: address, hashBalanceFactor: 1.25', ''],
  ])('say nothing of %s', (balancer, words) => {
    expect(said(balancer)).toBe(words)
  })

  it.each([
    ['policy: random, hashBy: address', `3:33: services.order.balancer.hashBy: ${ignored} random`],
    ['hashBy: address', `3:17: services.order.balancer.hashBy: ${ignored} least-request`],
    ['policy: ring-hash', `3:17: services.order.balancer.policy: ${spread}`],
    ['subset: 3, policy: maglev', `3:28: services.order.balancer.policy: ${spread}`],
  ])('are warned of where one lacks the other: %s', (balancer, words) => {
    const found = reading(balancer)
    expect(found.ok).toBe(true)
    expect(said(balancer)).toContain(`portolan.yaml:${words}\n`)
    expect(said(balancer).split('\n')).toHaveLength(2)
  })

  it.each(['session', 'cookie', 'header:', 'header:a b', 'ip'])('repeat what was written: %s', written => {
    expect(said(`policy: ring-hash, hashBy: "${written}"`)).toBe(
      `portolan.yaml:3:44: services.order.balancer.hashBy: "${written}" is no key of requests\n    write address, header:NAME or cookie:NAME`,
    )
  })
})
