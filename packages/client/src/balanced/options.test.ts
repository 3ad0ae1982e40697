import { Fault } from '@portolan/core'
import { describe, expect, test } from 'vitest'
import { checkServiceOptions } from './options.ts'

function refusal(options: unknown): string {
  try {
    checkServiceOptions(options, 'order')
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown
    return `${thrown.code}: ${thrown.message} | ${thrown.hint}`
  }
  return 'taken'
}

const ms = 'milliseconds: a number from 0 to 2147483647, as in 30_000'
const subset = 'a whole number from 0 to 100000; 0: all'

describe('what a program says of how it calls a service', () => {
  test.each([
    {},
    { policy: 'ring-hash', zone: 'a', slowStartMs: 0, subset: 20, namespace: 'staging', port: 'http' },
    { timeoutMs: 30_000, connectMs: 0.5, firstSetMs: 0, connections: 1, tls: {}, zone: '' },
    { outliers: { consecutive5xx: 0, keepAtLeast: undefined } },
    { policy: 'ring-hash', hashBalanceFactor: 1.25 },
    { policy: undefined, subset: undefined, zone: undefined },
  ])('%j is right', options => {
    expect(refusal(options)).toBe('taken')
  })

  test.each([
    [{ policy: 5 }, /^config_invalid: service order: policy is 5 \| one of adaptive, .*, round-robin$/],
    [{ policy: 'adaptiv' }, /^config_invalid: service order: policy is "adaptiv" \| .*adaptive/],
    [{ policy: null }, /policy is null \| one of/],
    [{ subset: -1 }, `subset is -1 | ${subset}`],
    [{ subset: 1.5 }, `subset is 1.5 | ${subset}`],
    [{ subset: '2' }, `subset is "2" | ${subset}`],
    [{ subset: 1e12 }, `subset is 1000000000000 | ${subset}`],
    [{ subset: Number.NaN }, `subset is NaN | ${subset}`],
    [{ slowStartMs: -1 }, `slowStartMs is -1 | ${ms}`],
    [{ slowStartMs: Number.NaN }, `slowStartMs is NaN | ${ms}`],
    [{ slowStartMs: '30s' }, `slowStartMs is "30s" | ${ms}`],
    [{ hashBalanceFactor: 0.9 }, 'hashBalanceFactor is 0.9 | a factor from 1 to 10'],
    [{ hashBalanceFactor: 125 }, 'hashBalanceFactor is 125 | a factor from 1 to 10'],
    [{ hashBalanceFactor: '2' }, 'hashBalanceFactor is "2" | a factor from 1 to 10'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, `timeoutMs is Infinity | ${ms}`],
    [{ zone: 7 }, 'zone is 7 | a text'],
    [{ namespace: {} }, 'namespace is an object | a text'],
    [{ port: 8080 }, 'port is 8080 | the name of a port, as a text'],
    [{ connections: 0 }, 'connections is 0 | a whole number, 1 or more'],
    [{ outliers: 3 }, 'outliers is 3 | an object'],
    [{ outliers: { consecutive5xx: -1 } }, 'outliers.consecutive5xx is -1 | a number, 0 or more'],
    [{ outliers: { consecutive: 1 } }, /outliers\.consecutive is no option \| .*consecutive5xx/],
    [{ slowStart: '30s' }, 'slowStart is no option | it is slowStartMs here, in milliseconds'],
    [{ hashBy: 'address' }, 'hashBy is no option | each call brings its own key here: pick({ hashKey })'],
    [{ polcy: 'random' }, /polcy is no option \| .*policy/],
    [{ constructor: 1 }, 'constructor is no option'],
    [null, 'the options of order are null | pass an object'],
    ['random', 'the options of order are "random" | pass an object'],
  ])('%j is refused: the option, what came, what is wanted', (options, words) => {
    if (typeof words === 'string') expect(refusal(options)).toContain(words)
    else expect(refusal(options)).toMatch(words)
    expect(refusal(options)).toMatch(/^config_invalid: /)
  })
})
