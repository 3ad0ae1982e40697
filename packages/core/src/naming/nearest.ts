/** Longer words are nobody's slip of the finger, and comparing them would cost time by the square. */
const longestWord = 64

/**
 * The candidate that `word` most likely meant, or `undefined` when none is near: at most a third of its letters
 * wrong, missing, added or swapped with their neighbour. Case does not count; of equals the first wins.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > longestWord) return undefined
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** A hint for a word that is none of `candidates`: `did you mean "x"?`, or else what there is. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const known = [...candidates]
  const near = nearest(word, known)
  if (near !== undefined) return `did you mean "${near}"?`
  const shown = known.slice(0, 20).join(', ')
  return known.length > 20 ? `there are: ${shown}, …` : `there are: ${shown}`
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours from `a` to `b`: F. Damerau's distance in its
 * "optimal string alignment" form.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let distance = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (row > 1 && column > 1 && swapped) distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1)
      current.push(distance)
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}
