import { Fault } from '@portolan/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Action,
  administer,
  allGrants,
  allows,
  every,
  formatGrant,
  type Grant,
  grant,
  instanceGrants,
  parseGrant,
  readGrants,
  verbs,
} from './grants.ts'

const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/)
const place = fc.oneof(name, fc.constant(every))
const verb = fc.constantFrom(...verbs)
const someVerbs = fc.uniqueArray(verb, { minLength: 1 })
const anyGrant: fc.Arbitrary<Grant> = fc
  .record({ verbs: someVerbs, namespace: place, service: place, instance: place })
  .map(one => (one.service === every ? { ...one, instance: every } : one))
const anyAction: fc.Arbitrary<Action> = fc.record({ verb, namespace: place, service: place, instance: place })

describe('what a grant allows, from the attacker’s side', () => {
  it('never reaches another namespace, service or instance than the one it names', () => {
    fc.assert(
      fc.property(someVerbs, name, name, name, anyAction, (verbs, namespace, service, instance, action) => {
        const elsewhere =
          action.namespace !== namespace || action.service !== service || action.instance !== instance
        fc.pre(elsewhere)
        expect(allows([{ verbs, namespace, service, instance }], action)).toBe(false)
      }),
    )
  })

  it('never gives a verb that it lacks, unless it is admin', () => {
    fc.assert(
      fc.property(anyGrant, anyAction, (given, action) => {
        fc.pre(!given.verbs.includes(action.verb) && !given.verbs.includes('admin'))
        expect(allows([given], action)).toBe(false)
      }),
    )
  })

  it('never adds two halves up to a whole', () => {
    const halves = [grant(['admin'], 'staging'), grant(['register'], every, 'order')]
    expect(allows(halves, { verb: 'admin', namespace: 'default', service: 'order', instance: every })).toBe(
      false,
    )
    expect(allows(halves, { verb: 'admin', namespace: every, service: 'order', instance: every })).toBe(false)
  })

  it('an action over everything needs a grant over everything', () => {
    fc.assert(
      fc.property(fc.array(anyGrant), grants => {
        const unlimited = grants.some(
          one =>
            one.verbs.includes('admin') &&
            one.namespace === every &&
            one.service === every &&
            one.instance === every,
        )
        expect(allows(grants, administer)).toBe(unlimited)
      }),
    )
  })

  it('allows exactly what it names', () => {
    fc.assert(
      fc.property(anyGrant, given => {
        for (const said of given.verbs) expect(allows([given], { ...given, verb: said })).toBe(true)
      }),
    )
  })

  it('nobody may do anything without a grant', () => {
    fc.assert(
      fc.property(anyAction, action => {
        expect(allows([], action)).toBe(false)
      }),
    )
  })

  it('readers cannot write, administrators can do all', () => {
    fc.assert(
      fc.property(anyAction, action => {
        expect(allows(readGrants, action)).toBe(action.verb === 'read')
        expect(allows(allGrants, action)).toBe(true)
      }),
    )
  })

  it('a supervised program keeps its own registration, sees its namespace, and no more', () => {
    const grants = instanceGrants({ namespace: 'default', service: 'order', id: 'order-1' })
    const may = (verb: Action['verb'], namespace: string, service: string, instance: string) =>
      allows(grants, { verb, namespace, service, instance })
    expect(may('register', 'default', 'order', 'order-1')).toBe(true)
    expect(may('read', 'default', 'payment', every)).toBe(true)
    expect(may('register', 'default', 'order', 'order-2')).toBe(false)
    expect(may('register', 'default', 'payment', 'order-1')).toBe(false)
    expect(may('admin', 'default', 'order', 'order-1')).toBe(false)
    expect(may('read', 'staging', 'payment', every)).toBe(false)
  })
})

describe('grants as people write them', () => {
  it('come back as they were written', () => {
    fc.assert(
      fc.property(anyGrant, given => {
        expect(parseGrant(formatGrant(given))).toEqual(given)
      }),
    )
  })

  it.each([
    ['register:order', grant(['register'], 'default', 'order')],
    ['read,register:staging/order', grant(['read', 'register'], 'staging', 'order')],
    ['register:order#order-1', grant(['register'], 'default', 'order', 'order-1')],
    ['admin:*/*', grant(['admin'], every)],
    ['read:*', grant(['read'], 'default')],
  ])('reads %s', (text, expected) => expect(parseGrant(text)).toEqual(expected))

  it.each(['', 'order', 'write:order', 'read:', 'read:a/b/c', 'read:*#order-1', 'read,:order', 'READ:order'])(
    'refuses %j',
    text => expect(() => parseGrant(text)).toThrow(Fault),
  )
})
