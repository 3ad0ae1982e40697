import { nearest, suggestion } from '@portolan/core'
import type { z } from 'zod'
import type { SourceDocument } from './document.ts'
import { formatPath, type Path, type Problem } from './problem.ts'
import { keysAt, type SchemaNode } from './reference.ts'
import { described } from './scalars.ts'

type Issue = z.core.$ZodIssue
type RawIssue = z.core.$ZodRawIssue

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
}

const units: Readonly<Record<string, string>> = {
  string: ' characters',
  array: ' entries',
}

/** Says what the schema's own checks found, for those that have no words of their own. Two lines: what, mend. */
export function wording(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, issue.input)
    case 'invalid_value':
      return noneOf(issue.values.map(String), issue.input)
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${units[issue.origin] ?? ''}`
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${units[issue.origin] ?? ''}`
    case 'invalid_format':
      return `${described(issue.input)} does not have the right form`
    default:
      return 'is not valid'
  }
}

function wrongType(expected: string, input: unknown): string {
  if (input === undefined) return 'this key is required and missing'
  const message = `expected ${typeNames[expected] ?? expected}, got ${described(input)}`
  if (expected === 'string' && typeof input !== 'object') return `${message}\nput it in quotes`
  if (expected === 'boolean') return `${message}\nwrite true or false`
  if (expected === 'array' && typeof input !== 'object') return `${message}\nwrite [${String(input)}]`
  return message
}

function noneOf(values: readonly string[], input: unknown): string {
  if (input === undefined) return `this key is required and missing\none of ${values.join(', ')}`
  const word = typeof input === 'string' ? input : ''
  return `${described(input)} is not known here\n${suggestion(word, values)}`
}

interface Complaint {
  /** Where to point. */
  readonly path: Path
  /** What to name: a wrong key is named by its message already. */
  readonly named: Path
  /** Whether the key itself is wrong, and not what it holds. */
  readonly atKey: boolean
  readonly words: string
}

/** The schema's issues as problems with their place in the file. */
export function complaints(
  issues: readonly Issue[],
  document: SourceDocument,
  schema: SchemaNode,
): readonly Problem[] {
  return issues.flatMap(issue => complaintsOf(issue, document, schema).map(found => place(found, document)))
}

function complaintsOf(issue: Issue, document: SourceDocument, schema: SchemaNode): readonly Complaint[] {
  const path = issue.path.map(step => (typeof step === 'symbol' ? String(step) : step))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      path: [...path, key],
      named: path,
      atKey: true,
      words: unknownKey(path, key, schema),
    }))
  }
  if (issue.code === 'invalid_key') {
    return [
      {
        path,
        named: path.slice(0, -1),
        atKey: true,
        words: `${JSON.stringify(path.at(-1))} is ${issue.issues[0]?.message ?? 'not a key that can stand here'}`,
      },
    ]
  }
  return [{ path, named: path, atKey: !document.has(path), words: issue.message }]
}

function unknownKey(path: Path, key: string, schema: SchemaNode): string {
  const known = keysAt(schema, path)
  const message = `unknown key "${key}"`
  if (key === '<<') return `${message}\nmerge keys are not read: alias a whole value (key: *name)`
  const guess = nearest(key, known)
  if (guess !== undefined) return `${message}\ndid you mean "${guess}"?`
  const home = Object.keys(schema.properties ?? {}).find(section => keysAt(schema, [section]).includes(key))
  if (path.length === 0 && home !== undefined) return `${message}\nit belongs under ${home}:`
  return `${message}\n${suggestion(key, known)}`
}

function place({ path, named, atKey, words }: Complaint, document: SourceDocument): Problem {
  const [message = '', hint] = words.split('\n')
  const where = atKey ? document.keyAt(path) : document.valueAt(path)
  const problem = { ...where, path: formatPath(named), message }
  return hint === undefined ? problem : { ...problem, hint }
}
