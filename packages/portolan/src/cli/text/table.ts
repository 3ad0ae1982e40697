/** Columns as wide as they need, two spaces apart; the last one is not padded. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map(row => width(row[column] ?? ''))))
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell)))).join('  ')
  return all.map(row => `${line(row).trimEnd()}\n`).join('')
}

const wide = /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|[\uff01-\uff60]/u

/** Terminal cells: Chinese, Japanese and Korean signs take two; escapes none. */
function width(text: string): number {
  let cells = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins with one
  for (const sign of text.replaceAll(/\u001b\[[0-9;]*m/g, '')) cells += wide.test(sign) ? 2 : 1
  return cells
}
