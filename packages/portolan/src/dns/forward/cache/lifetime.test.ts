import type { Answer } from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { a, answerSaying, type Saying, soa } from '../testing/answers.ts'
import { questionBytes } from '../testing/queries.ts'
import { judge } from './lifetime.ts'

const question = questionBytes('a.example', 1)
const cname: Answer = { type: 'CNAME', name: 'a.example', ttl: 20, data: 'b.example' }
const ns: Answer = { type: 'NS', name: 'example', ttl: 50, data: 'ns.example' }

const cases: readonly (readonly [string, Saying, string, number])[] = [
  ['an address', { answers: [a('a.example', 60)] }, 'positive', 60],
  ['the lowest of several', { answers: [a('a.example', 60), a('a.example', 30)] }, 'positive', 30],
  ['a chain, by its lowest', { answers: [cname, a('b.example', 60)] }, 'positive', 20],
  [
    'an address, whatever goes along with it',
    { answers: [a('a.example', 60)], authorities: [ns] },
    'positive',
    60,
  ],
  ['more than a day', { answers: [a('a.example', 1_000_000)] }, 'positive', 86_400],
  ['a TTL whose highest bit is set (RFC 2181)', { answers: [a('a.example', 2 ** 31)] }, 'positive', 0],
  ['NODATA, by the minimum', { authorities: [soa('example', 50, 10)] }, 'negative', 10],
  ['NODATA, by the TTL of the SOA', { authorities: [soa('example', 5, 10)] }, 'negative', 5],
  ['NXDOMAIN', { rcode: 3, authorities: [soa('example', 50, 40)] }, 'negative', 40],
  ['NXDOMAIN of three hours', { rcode: 3, authorities: [soa('example', 10_800, 10_800)] }, 'negative', 60],
  ['NXDOMAIN without an SOA', { rcode: 3 }, 'negative', 0],
  ['NODATA without an SOA', {}, 'negative', 0],
  ['a chain to nothing', { answers: [cname], authorities: [soa('example', 50, 40)] }, 'negative', 20],
  ['a referral', { authorities: [ns] }, 'failure', 1],
  ['SERVFAIL', { rcode: 2 }, 'failure', 1],
  ['REFUSED', { rcode: 5 }, 'failure', 1],
  ['FORMERR', { rcode: 1 }, 'failure', 1],
  ['a DNAME that makes the name too long', { rcode: 6 }, 'other', 0],
]

describe('how long an answer may be kept', () => {
  it.each(cases)('%s', (_, saying, kind, seconds) => {
    expect(judge(answerSaying(question, saying), 1)).toEqual({ kind, seconds })
  })

  it('counts a CNAME as an answer to those who asked for that', () => {
    expect(judge(answerSaying(questionBytes('a.example', 5), { answers: [cname] }), 5)).toEqual({
      kind: 'positive',
      seconds: 20,
    })
  })
})
