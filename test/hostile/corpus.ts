import { describe, expect, it } from 'vitest'
import { eventually, type RawClient } from '../../packages/portolan/src/proxy/testing/harness.ts'
import { answersIn, outcomeOf } from './answers.ts'
import type { Corpus } from './case.ts'

/** A test for each case, and one that they are more than `enough`, no two of one name. */
export function testCorpus<Case extends { readonly name: string }>(
  what: string,
  corpus: Corpus<Case>,
  enough: number,
  run: (entry: Case) => Promise<void>,
): void {
  describe.each(Object.entries(corpus))(`${what}: %s`, (_, cases) => {
    it.each(cases.map(entry => [entry.name, entry] as const))('%s', (_name, entry) => run(entry))
  })

  it('there are enough, and no two of one name', () => {
    for (const [theme, cases] of Object.entries(corpus)) {
      const names = cases.map(({ name }) => name)
      expect(
        names.filter((name, index) => names.indexOf(name) !== index),
        theme,
      ).toEqual([])
    }
    expect(Object.values(corpus).flat().length).toBeGreaterThan(enough)
  })
}

export const next = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: next\r\n\r\n`

/** Whoever comes next is answered as if nothing had been: `GET /fresh` by that client. */
export async function expectFresh(other: RawClient): Promise<void> {
  other.send(next('/fresh'))
  await eventually(() => answersIn(other).length > 0)
  expect(answersIn(other).map(outcomeOf)).toEqual(['200 <GET /fresh >'])
}
