/** Begins work at once while less than `most` is under way, and the rest in the order in which it came. */
export function paced(most: number): (work: () => Promise<void>) => void {
  const waiting: (() => Promise<void>)[] = []
  let first = 0
  let underWay = 0

  const begin = (work: () => Promise<void>): void => {
    underWay += 1
    work().then(end, end)
  }

  const end = (): void => {
    underWay -= 1
    const next = waiting[first]
    if (next === undefined) return
    first += 1
    // What was begun is dropped in bulk: shifting each one off a list of thousands would cost the list each time.
    if (first * 2 > waiting.length) {
      waiting.splice(0, first)
      first = 0
    }
    begin(next)
  }

  return work => {
    if (underWay < most) begin(work)
    else waiting.push(work)
  }
}
