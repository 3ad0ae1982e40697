import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml'
import { formatPath, type Path, type Position, type Problem } from './problem.ts'

/** What a file may hold, so that no file, however made, costs more than a moment. */
const documentLimits = {
  bytes: 4 * 1024 * 1024,
  depth: 40,
  nodes: 200_000,
  problems: 50,
  syntax: 5,
}

/** A YAML file as plain data, with the place of everything in it. */
export interface SourceDocument {
  /** Maps, lists and scalars; `undefined` for a file without content. Keys without a value are left out. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Where the value of `path`, or else the nearest thing around it, stands. */
  valueAt(path: Path): Position
  /** Where the key that ends `path` stands; the value's place for list items. */
  keyAt(path: Path): Position
  has(path: Path): boolean
}

interface Places {
  readonly key: number
  readonly value: number
}

interface Walk {
  readonly document: Document
  readonly places: Map<string, Places>
  readonly report: (offset: number, path: Path, message: string, hint?: string) => void
  readonly open: Set<Node>
  nodes: number
}

const placeKey = (path: Path): string => JSON.stringify(path)

/** Reads YAML 1.2. Never throws for what the text holds: what is wrong with it comes as problems. */
export function readDocument(text: string, file: string): SourceDocument {
  const lines = new LineCounter()
  const places = new Map<string, Places>()
  const problems: Problem[] = []
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const report = (offset: number, path: Path, message: string, hint?: string): void => {
    if (problems.length >= documentLimits.problems) return
    const where = { ...positionOf(offset), path: formatPath(path), message }
    problems.push(hint === undefined ? where : { ...where, hint })
  }
  const nearest = (path: Path, pick: (places: Places) => number): Position => {
    for (let length = path.length; length > 0; length--) {
      const found = places.get(placeKey(path.slice(0, length)))
      if (found !== undefined) return positionOf(length === path.length ? pick(found) : found.key)
    }
    return { file, line: 1, column: 1 }
  }
  return {
    value: readValue(text, lines, places, report),
    problems,
    valueAt: path => nearest(path, found => found.value),
    keyAt: path => nearest(path, found => found.key),
    has: path => places.has(placeKey(path)),
  }
}

function readValue(
  text: string,
  lines: LineCounter,
  places: Walk['places'],
  report: Walk['report'],
): unknown {
  if (Buffer.byteLength(text) > documentLimits.bytes) {
    report(0, [], `the file is larger than ${documentLimits.bytes / 1024 / 1024} MiB`)
    return undefined
  }
  const document = parseSafely(text, lines)
  const tooDeep = document?.errors.some(({ message }) => /call stack/i.test(message)) ?? true
  if (document === undefined || tooDeep) {
    report(0, [], `the file nests deeper than ${documentLimits.depth} levels`)
    return undefined
  }
  // The first few say what is wrong; those behind them are mostly echoes.
  for (const fault of [...document.errors, ...document.warnings].slice(0, documentLimits.syntax))
    reportSyntax(fault, text, report)
  if (document.errors.length + document.warnings.length > 0) return undefined
  const walk: Walk = { document, places, report, open: new Set(), nodes: 0 }
  return document.contents === null ? undefined : plain(walk, document.contents as Node, [], 0)
}

/** `undefined`: nested so deep that the parser's stack ended. */
function parseSafely(text: string, lines: LineCounter): Document | undefined {
  try {
    return parseDocument(text.replace(/^\uFEFF/, ' '), {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: true,
      version: '1.2',
    }) as Document
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

function reportSyntax(fault: YAMLError, text: string, report: Walk['report']): void {
  const [start] = fault.pos
  const line = text.slice(text.lastIndexOf('\n', start - 1) + 1).split('\n', 1)[0] ?? ''
  const [message, hint] = explainSyntax(fault, line)
  report(start, [], message, hint)
}

function explainSyntax(fault: YAMLError, line: string): readonly [message: string, hint?: string] {
  if (fault.code === 'DUPLICATE_KEY') return ['this key is here twice', 'keep one of the two']
  if (fault.code === 'MULTIPLE_DOCS') return ['a second document begins here', 'one file holds one document']
  if (fault.code === 'TAG_RESOLVE_FAILED')
    return ['a tag that means nothing here', 'leave out the word behind "!"']
  if (fault.code === 'TAB_AS_INDENT') return ['a tab indents this line', 'indent with spaces']
  const message = `not YAML: ${fault.message.charAt(0).toLowerCase()}${fault.message.slice(1)}`
  if (/\[[0-9a-f]*:[0-9a-f:]*\]:\d/i.test(line)) return [message, 'quote IPv6 addresses: "[::1]:7400"']
  if (fault.code === 'BLOCK_AS_IMPLICIT_KEY')
    return [message, 'quote values that hold ": ", and check the indent']
  return [message]
}

function plain(walk: Walk, node: Node | null, path: Path, depth: number): unknown {
  walk.nodes += 1
  if (node === null) return undefined
  const offset = node.range?.[0] ?? 0
  if (walk.nodes > documentLimits.nodes) {
    if (walk.nodes === documentLimits.nodes + 1) {
      walk.report(offset, path, `more than ${documentLimits.nodes} values`, 'aliases (*name) count each time')
    }
    return undefined
  }
  if (depth > documentLimits.depth) {
    walk.report(offset, path, `nested deeper than ${documentLimits.depth} levels`)
    return undefined
  }
  if (isScalar(node)) return node.value === null ? undefined : node.value
  if (isAlias(node)) return plainAlias(walk, node.resolve(walk.document), node.source, offset, path, depth)
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      const at = (item as Node | null)?.range?.[0] ?? offset
      walk.places.set(placeKey([...path, index]), { key: at, value: at })
      return plain(walk, item as Node | null, [...path, index], depth + 1)
    })
  }
  return isMap(node) ? plainMap(walk, node.items as Pair<Node, Node | null>[], path, depth) : undefined
}

function plainAlias(
  walk: Walk,
  target: Node | undefined,
  name: string,
  offset: number,
  path: Path,
  depth: number,
): unknown {
  if (target === undefined) {
    walk.report(
      offset,
      path,
      `the alias *${name} names no anchor`,
      `write &${name} before what it stands for`,
    )
    return undefined
  }
  if (walk.open.has(target)) {
    walk.report(offset, path, `the alias *${name} stands inside its own anchor`)
    return undefined
  }
  walk.open.add(target)
  const value = plain(walk, target, path, depth + 1)
  walk.open.delete(target)
  return value
}

function plainMap(walk: Walk, items: readonly Pair<Node, Node | null>[], path: Path, depth: number): unknown {
  const map: Record<string, unknown> = {}
  for (const { key, value } of items) {
    const at = key.range?.[0] ?? 0
    const name = isScalar(key) ? String(key.value) : undefined
    if (name === undefined || name === '__proto__') {
      walk.report(
        at,
        path,
        'this cannot be a key',
        'keys are plain words; quote IPv6 addresses: "[::1]:8080"',
      )
      continue
    }
    const below = [...path, name]
    walk.places.set(placeKey(below), {
      key: at,
      value: value?.range?.[0] ?? at,
    })
    const held = plain(walk, value, below, depth + 1)
    if (held !== undefined) map[name] = held
  }
  return map
}
