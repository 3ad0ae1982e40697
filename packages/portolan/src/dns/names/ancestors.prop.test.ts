import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { domains } from '../directory/testing/shop.ts'
import { meaningOf } from './meaning-of.ts'

const word = fc.constantFrom('a', 'b', 'tag', 'ns', 'instance', '_tcp', 'addr')
const dotted = fc.array(word, { minLength: 1, maxLength: 3 }).map(words => words.join('.'))
const plain = fc.constantFrom('a', 'b', 'c')
const instance = fc
  .record({
    namespace: fc.constantFrom('default', 'staging', 'team.a'),
    service: fc.oneof(plain, dotted),
    id: dotted,
    zone: fc.oneof(plain, dotted),
    tag: dotted,
    port: dotted,
  })
  .map(({ namespace, service, id, zone, tag, port }) =>
    instanceOf(service, id, 80, {
      namespace,
      zone,
      tags: [tag],
      ports: [{ name: port, number: 80, protocol: 'http', tls: false }],
    }),
  )

/** Every form that a name of ours can have. */
function namesOf({ service, namespace, zone, id, tags, ports }: ReturnType<typeof instanceOf>): string[] {
  const where = namespace === 'default' ? ['', '.default.ns'] : [`.${namespace}.ns`]
  return where.flatMap(end =>
    [
      `${id}.instance.${service}`,
      ...[service, `${service}.${zone}`].flatMap(name => [
        name,
        `${tags[0]}.tag.${name}`,
        `_${ports[0]?.name}._tcp.${name}`,
        `_${ports[0]?.name}._tcp.${tags[0]}.tag.${name}`,
      ]),
      `_${service}._tcp`,
      `_${service}._tcp.${zone}`,
    ].map(name => `${name}${end}.portolan`),
  )
}

/** RFC 8020: who denies a name denies all below it. */
it('nothing above a name is denied', () => {
  let asked = 0
  const property = fc.property(fc.array(instance, { minLength: 1, maxLength: 4 }), instances => {
    const directory = givenDirectory(instances)
    const exists = (name: string) => meaningOf(name, domains, directory)?.meaning.kind !== 'nothing'
    const denied: string[] = []
    for (const name of instances.flatMap(namesOf).filter(exists)) {
      const labels = name.split('.')
      for (let from = 1; from < labels.length; from++) {
        const above = labels.slice(from).join('.')
        if (!exists(above)) denied.push(`${above} of ${name}`)
        asked++
      }
    }
    expect(denied).toEqual([])
  })
  fc.assert(property, { numRuns: 60 })
  expect(asked).toBeGreaterThan(2000)
})
