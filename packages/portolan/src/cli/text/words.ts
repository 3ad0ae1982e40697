import { usage } from '../command.ts'

/**
 * Takes a command line apart into words as a shell would, without being one: spaces part words, quotes and backslashes
 * hold them together; nothing else has a meaning.
 * @throws Fault `invalid_request`
 */
export function splitWords(line: string, option: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ''
    if (quote === "'" ? char === "'" : quote === '"' && char === '"') quote = ''
    else if (quote === '' && (char === "'" || char === '"')) {
      quote = char
      word ??= ''
    } else if (char === '\\' && quote !== "'" && (quote === '' || /["\\]/.test(line[at + 1] ?? ''))) {
      if (at + 1 === line.length) throw usage(`${option} ${line}: ends with a backslash`)
      word = (word ?? '') + line[++at]
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== '') throw usage(`${option} ${line}: a ${quote} is not closed`)
  return word === undefined ? words : [...words, word]
}
