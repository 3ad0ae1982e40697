import type { Instance } from '@portolan/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { classes, types } from '../codec/codes.ts'
import { writeMessage } from '../codec/write-message.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { outgoingOf } from './outgoing.ts'
import { replyTo } from './reply-to.ts'
import { ask, dataOf, queryFor, sending, settings } from './testing/ask.ts'

const words = [
  'a',
  'b',
  'A_b',
  'tag',
  'ns',
  'instance',
  '_tcp',
  '_udp',
  '_a',
  'addr',
  'service',
  'node',
  'dc1',
  'a.b',
]
const word = fc.constantFrom(...words)
const address = fc.oneof(fc.ipV4(), fc.constantFrom('10.0.0.1', 'fd00::1', '::ffff:10.0.0.1', 'fe80::1%eth0'))
const cause = fc
  .constantFrom('http' as const, 'tcp' as const, 'draining' as const, 'operator' as const)
  .map(kind => ({ kind, owner: 'x', reason: 'y', since: '2026-01-01T00:00:00.000Z' }))
const instance: fc.Arbitrary<Instance> = fc
  .record({
    service: word,
    id: fc.oneof(word, fc.stringMatching(/^[a-z0-9-]{1,70}$/)),
    namespace: fc.constantFrom('default', 'default', 'a'),
    addresses: fc.array(address, { minLength: 1, maxLength: 3 }),
    weight: fc.constantFrom(0, 0.001, 1, 2.5, 1_000_000),
    zone: fc.option(word, { nil: undefined }),
    tags: fc.array(word, { maxLength: 2 }),
    causes: fc.array(cause, { maxLength: 1 }),
    priority: fc.option(fc.constantFrom('0', '3', 'x'), { nil: undefined }),
    protocol: fc.constantFrom('http' as const, 'udp' as const),
    text: fc.string({ maxLength: 300 }),
  })
  .map(({ service, id, zone, priority, protocol, text, ...more }) =>
    instanceOf(service, id, 80, {
      ...more,
      ...(zone === undefined ? {} : { zone }),
      host: id,
      metadata: { ...(priority === undefined ? {} : { priority }), [text.slice(0, 20)]: text },
      ports: [{ name: 'a', number: 80, protocol, tls: false }],
    }),
  )
const instances = fc.uniqueArray(instance, {
  selector: ({ namespace, service, id }) => `${namespace}/${service}/${id}`,
  minLength: 1,
  maxLength: 8,
})
const ending = fc.constantFrom('portolan', 'consul', 'service.consul', 'addr.dc1.consul', 'in-addr.arpa')
const name = fc
  .tuple(fc.array(word, { maxLength: 7 }), ending)
  .map(([labels, end]) => [...labels, end].join('.').toLowerCase())
const type = fc.oneof(fc.constantFrom(...Object.values(types)), fc.nat(65_535))

it('every answer can be written, and says what it was asked, each thing once', () => {
  const rcodes = new Set<string>()
  const property = fc.property(instances, name, type, (given, asked, ofType) => {
    const directory = givenDirectory(given)
    const context = { directory, settings, addresses: ['127.0.0.1', '::1'] }
    const reply = replyTo({ name: asked, type: ofType, class: classes.IN }, context)
    if (reply === undefined) return
    rcodes.add(reply.answers.length > 0 ? 'answered' : reply.rcode)
    const message = writeMessage(outgoingOf(reply, queryFor(asked), { ...sending, limit: 65_535 }))
    expect(message.readUInt16BE(6)).toBe(reply.answers.length)
    for (const { record, weight } of reply.answers) {
      expect(record.name).toBe(asked)
      expect(weight).toBeGreaterThan(0)
      expect([types[record.type], types.ANY]).toContain(ofType)
    }
    expect(new Set(reply.answers.map(({ record }) => dataOf(record))).size).toBe(reply.answers.length)
    const isNone = reply.answers.length === 0 && reply.rcode !== 'REFUSED'
    expect(reply.authority.map(record => record.type)).toEqual(isNone ? ['SOA'] : [])
  })
  fc.assert(property, { numRuns: 700 })
  expect([...rcodes].sort()).toEqual(['NOERROR', 'NXDOMAIN', 'REFUSED', 'answered'])
})

it('every target resolves to what goes along with it', () => {
  let targets = 0
  const property = fc.property(instances, fc.constantFrom('portolan', 'service.consul'), (given, domain) => {
    const directory = givenDirectory(given)
    for (const { service } of given) {
      for (const { record, additional } of ask(directory, `${service.toLowerCase()}.${domain}`, 'SRV')
        ?.answers ?? []) {
        const target = record.type === 'SRV' ? record.target : ''
        const found = (['A', 'AAAA'] as const).flatMap(
          family => ask(directory, target, family)?.answers ?? [],
        )
        const byText = (texts: readonly string[]) => [...new Set(texts)].sort()
        expect(byText(found.map(answer => dataOf(answer.record)))).toEqual(byText(additional.map(dataOf)))
        expect(additional.length).toBeGreaterThan(0)
        targets++
      }
    }
  })
  fc.assert(property, { numRuns: 200 })
  expect(targets).toBeGreaterThan(200)
})
