/** Where and why a text is not JSON. Offsets count UTF-16 units from 0, lines and columns from 1. */
export interface JsonError {
  readonly offset: number
  readonly line: number
  readonly column: number
  readonly reason: string
}

class Flaw extends Error {
  readonly offset: number

  constructor(reason: string, offset: number) {
    super(reason)
    this.offset = offset
  }
}

/** Nesting that is certainly no registration. Also what keeps the recursion below from running out of stack. */
const maxDepth = 64

/**
 * Finds the first place at which `text` stops being JSON (RFC 8259), or `undefined` when it is JSON. JSON.parse
 * names a position on some of Node's versions only; this is read once it has failed, so speed does not matter.
 */
export function findJsonError(text: string): JsonError | undefined {
  try {
    const end = skipSpace(text, value(text, skipSpace(text, 0), 0))
    if (end < text.length) throw new Flaw('text after the end of the value', end)
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof Flaw)) throw thrown
    const before = text.slice(0, thrown.offset)
    const lineStart = before.lastIndexOf('\n') + 1
    return {
      offset: thrown.offset,
      line: before.split('\n').length,
      column: thrown.offset - lineStart + 1,
      reason: thrown.message,
    }
  }
}

/** Each of the following takes the offset at which its part begins, and returns the one after its end. */
function value(text: string, at: number, depth: number): number {
  if (depth > maxDepth) throw new Flaw(`nested deeper than ${maxDepth} levels`, at)
  switch (text[at]) {
    case undefined:
      throw new Flaw('the text ends where a value should begin', at)
    case '{':
      return members(text, at, '}', key => property(text, key, depth))
    case '[':
      return members(text, at, ']', element => value(text, element, depth + 1))
    case '"':
      return string(text, at)
    default:
      return scalar(text, at)
  }
}

function members(text: string, open: number, close: string, member: (at: number) => number): number {
  let at = skipSpace(text, open + 1)
  if (text[at] === close) return at + 1
  for (;;) {
    at = skipSpace(text, member(at))
    if (text[at] === close) return at + 1
    if (text[at] !== ',') throw new Flaw(`"," or "${close}" is missing`, at)
    at = skipSpace(text, at + 1)
  }
}

function property(text: string, at: number, depth: number): number {
  if (text[at] !== '"') throw new Flaw('a property name in double quotes should stand here', at)
  const colon = skipSpace(text, string(text, at))
  if (text[colon] !== ':') throw new Flaw('":" is missing', colon)
  return value(text, skipSpace(text, colon + 1), depth + 1)
}

const escapes = /["\\/bfnrt]/

function string(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const letter = text.charAt(at)
    if (letter === '"') return at + 1
    if (letter < ' ') throw new Flaw('a control character must be escaped', at)
    if (letter !== '\\') continue
    const next = text.charAt(at + 1)
    const unicode = next === 'u' && /^[0-9A-Fa-f]{4}$/.test(text.slice(at + 2, at + 6))
    if (!unicode && !escapes.test(next)) throw new Flaw('an unknown escape', at)
    at += unicode ? 5 : 1
  }
  throw new Flaw('the string does not end', open)
}

const scalars = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y

function scalar(text: string, at: number): number {
  scalars.lastIndex = at
  const match = scalars.exec(text)
  if (match === null) throw new Flaw('a value should stand here', at)
  return at + match[0].length
}

const space = /[ \t\r\n]*/y

function skipSpace(text: string, at: number): number {
  space.lastIndex = at
  return at + (space.exec(text)?.[0].length ?? 0)
}
