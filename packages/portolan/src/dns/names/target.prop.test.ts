import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instanceOf } from '../../proxy/testing/static-resolver.ts'
import { givenDirectory } from '../directory/testing/given.ts'
import { domains as usual } from '../directory/testing/shop.ts'
import { meaningOf } from './meaning-of.ts'
import { targetOf } from './target.ts'

const words = ['a', 'b', 'instance', 'tag', 'ns', 'addr', 'dc', 'dc1', 'service', 'node', 'tcp', 'default']
const name = fc.oneof(
  fc.constantFrom(...words),
  fc.stringMatching(/^[A-Za-z0-9._-]{1,6}$/),
  fc.stringMatching(/^[a-z0-9-]{60,70}$/),
  fc
    .array(fc.constantFrom(...words, '_tcp', 'A'), { minLength: 1, maxLength: 4 })
    .map(parts => parts.join('.')),
)
const address = fc.oneof(fc.ipV4(), fc.constantFrom('fd00::1', '::ffff:10.0.0.1', 'fe80::1%eth0'))
const instances = fc.uniqueArray(
  fc
    .tuple(name, name, name, fc.array(address, { minLength: 1, maxLength: 3 }))
    .map(([namespace, service, id, addresses]) => instanceOf(service, id, 80, { namespace, addresses })),
  { selector: ({ namespace, service, id }) => `${namespace}/${service}/${id}`, minLength: 1, maxLength: 12 },
)
const domains = [...usual, { name: 'instance.tag.ns', style: 'portolan' as const }]

it('what targets say is read back as that very instance, or as an address that it has', () => {
  const kinds = new Set<string>()
  const property = fc.property(instances, fc.constantFrom(...domains), (given, domain) => {
    const directory = givenDirectory(given)
    for (const instance of given) {
      const target = targetOf(instance, domain)
      if (target === undefined) {
        expect(instance.addresses.every(text => text.includes('%'))).toBe(true)
        continue
      }
      const reading = meaningOf(target, domains, directory)
      const meaning = reading?.meaning
      kinds.add(meaning?.kind ?? 'foreign')
      expect(reading?.domain).toBe(domain)
      if (meaning?.kind === 'address') expect(instance.addresses).toContain(meaning.ip)
      else {
        const { namespace, service, id } = instance
        expect(meaning).toEqual({ kind: 'instance', namespace, service, id })
        expect(reading?.known?.set.instances).toContain(instance)
      }
    }
  })
  fc.assert(property, { numRuns: 200 })
  expect([...kinds].sort()).toEqual(['address', 'instance'])
})
