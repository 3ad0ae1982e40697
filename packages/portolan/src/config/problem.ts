/** Where something stands in a file; lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The way from a document's root to a value: map keys and list indexes. */
export type Path = readonly (string | number)[]

/** One thing that is wrong (or, as a warning, worth knowing) in a configuration file. */
export interface Problem extends Position {
  /** `services.order.run.port`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  /** How to mend it. */
  readonly hint?: string
}

/** `routes[0].match.path`; keys that are no plain words are quoted. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    const word = /^[\w/.-]+$/.test(step) ? step : JSON.stringify(step)
    return text === '' ? word : `${text}.${word}`
  }, '')
}

/** `portolan.yaml:7:3`, as editors and terminals make it clickable. */
export function formatPosition(position: Position): string {
  return `${position.file}:${position.line}:${position.column}`
}

/** `portolan.yaml:7`, as a sentence names it. */
export function formatLine(position: Position): string {
  return `${position.file}:${position.line}`
}

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, and on a line of its own how to mend it. */
export function formatProblem(problem: Problem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `
  const hint = problem.hint === undefined ? '' : `\n    ${problem.hint}`
  return `${formatPosition(problem)}: ${path}${problem.message}${hint}`
}

/** Problems in the order in which a reader of the file meets them. */
export function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}
