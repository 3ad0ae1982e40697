import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readDocument } from './document.ts'
import { readConfig } from './load.ts'
import type { Path } from './problem.ts'

const key = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.string({ minLength: 1, maxLength: 12 }), key)
const tree = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
})).map

/** The way to every map key below `value`. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => pathsOf(item, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, held]) => [[...path, name], ...pathsOf(held, [...path, name])])
}

describe('documents', () => {
  it('reads back what was written, block and flow', () => {
    fc.assert(
      fc.property(tree, fc.boolean(), (value, flow) => {
        const text = stringify(value, { collectionStyle: flow ? 'flow' : 'block' })
        const { value: read, problems } = readDocument(text, 'x.yaml')
        expect(problems).toEqual([])
        expect(read).toEqual(value)
      }),
    )
  })

  it('knows the place of every key: the key stands there', () => {
    fc.assert(
      fc.property(tree, fc.boolean(), (value, flow) => {
        const text = stringify(value, { collectionStyle: flow ? 'flow' : 'block' })
        const document = readDocument(text, 'x.yaml')
        const lines = text.split('\n')
        for (const path of pathsOf(value)) {
          const { line, column } = document.keyAt(path)
          const name = String(path.at(-1))
          expect(
            lines[line - 1]
              ?.slice(column - 1)
              .replace(/^["']/, '')
              .startsWith(name),
          ).toBe(true)
        }
      }),
    )
  })

  it('points to the nearest thing around what is not there', () => {
    const document = readDocument('a:\n  b: 1\n', 'x.yaml')
    expect(document.valueAt(['a', 'b', 'c'])).toEqual({ file: 'x.yaml', line: 2, column: 3 })
    expect(document.valueAt(['z'])).toEqual({ file: 'x.yaml', line: 1, column: 1 })
  })
})

const sections = ['api', 'data', 'auth', 'registry', 'gateway', 'services', 'alerts']

/** One slip of the finger: a letter left out, doubled, or swapped with its neighbour. */
const slip = fc
  .tuple(fc.constantFrom(...sections), fc.nat(), fc.constantFrom('drop', 'double', 'swap'))
  .map(([word, seed, kind]) => {
    const at = seed % (word.length - 1)
    const head = word.slice(0, at)
    if (kind === 'drop') return { word, typed: head + word.slice(at + 1) }
    if (kind === 'double') return { word, typed: `${head}${word[at]}${word.slice(at)}` }
    return { word, typed: `${head}${word[at + 1]}${word[at]}${word.slice(at + 2)}` }
  })
  .filter(({ typed }) => !sections.includes(typed))

describe('did you mean', () => {
  it('finds the section that a slip of the finger meant, on its line', () => {
    fc.assert(
      fc.property(slip, fc.nat({ max: 20 }), ({ word, typed }, above) => {
        const reading = readConfig(`${'\n'.repeat(above)}${typed}: {}\n`, 'x.yaml')
        const [problem] = reading.ok ? [] : reading.problems
        expect(problem).toMatchObject({ line: above + 1, column: 1, message: `unknown key "${typed}"` })
        expect(problem?.hint).toBe(`did you mean "${word}"?`)
      }),
    )
  })

  it('takes any bytes for an answer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
        const reading = readConfig(text, 'x.yaml')
        if (!reading.ok) expect(reading.problems.length).toBeGreaterThan(0)
      }),
    )
  })
})
