import { expect, it } from 'vitest'
import { isPlainLabel, labelsOf, placeInDomains } from './labels.ts'

it.each([
  ['', []],
  ['a', ['a']],
  ['a.b', ['a', 'b']],
  [String.raw`a\.b.c`, [String.raw`a\.b`, 'c']],
  [String.raw`a\\.b`, [String.raw`a\\`, 'b']],
  [String.raw`a\032b.c`, [String.raw`a\032b`, 'c']],
])('%j has the labels %j', (name, labels) => {
  expect(labelsOf(name)).toEqual(labels)
})

it.each([
  ['order-1', true],
  ['1', true],
  ['-a', false],
  ['a-', false],
  ['a_b', false],
  ['A', false],
  ['a.b', false],
  ['', false],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
])('%j is a plain label: %s', (text, isPlain) => {
  expect(isPlainLabel(text)).toBe(isPlain)
})

it('knows what is below a domain', () => {
  const domains = [{ name: 'shop.lan', style: 'portolan' as const }]
  const ownOf = (name: string) => placeInDomains(labelsOf(name), domains)?.own
  expect(['shop.lan', 'a.shop.lan', 'a.b.shop.lan'].map(ownOf)).toEqual([[], ['a'], ['a', 'b']])
  const others = ['xshop.lan', 'lan', String.raw`a\.shop.lan`, '']
  expect(others.map(ownOf)).toEqual(others.map(() => undefined))
})
