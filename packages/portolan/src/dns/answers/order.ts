import type { Random } from '@portolan/core'
import type { Answer } from './reply.ts'

/**
 * The order in which answers are sent: lower priorities first, and within one priority drawn by weight without putting back,
 * so that first places, and places among those that fit, are shared as the weights are (P. S. Efraimidis and P. G. Spirakis,
 * Weighted random sampling with a reservoir, 2006).
 * @param most as many as are of use. Default: all
 */
export function drawOrder(
  answers: readonly Answer[],
  random: Random,
  most: number = answers.length,
): readonly Answer[] {
  if (answers.length < 2) return answers.slice(0, most)
  const drawn: Answer[] = []
  for (const level of byPriority(answers)) {
    if (drawn.length >= most) break
    const weights = new Float64Array(level.length)
    for (let index = 0; index < level.length; index++) weights[index] = level[index]?.weight ?? 0
    for (const index of drawnByWeight(weights, random, most - drawn.length)) {
      drawn.push(level[index] as Answer)
    }
  }
  return drawn
}

function byPriority(answers: readonly Answer[]): readonly (readonly Answer[])[] {
  const first = answers[0]?.priority
  if (answers.every(({ priority }) => priority === first)) return [answers]
  const levels = new Map<number, Answer[]>()
  for (const answer of answers) {
    const level = levels.get(answer.priority)
    if (level === undefined) levels.set(answer.priority, [answer])
    else level.push(answer)
  }
  return [...levels].sort(([a], [b]) => a - b).map(([, level]) => level)
}

/**
 * Indices, drawn by weight without putting back. Each has a key, exponentially distributed with its weight as the rate; the
 * smallest keys win. Once there are enough, the sum of weights until the next winner is exponentially distributed, too: with
 * that jump over the losers (their algorithm A-ExpJ) few keys are drawn, and the rest is adding.
 */
export function drawnByWeight(weights: Float64Array, random: Random, most: number): readonly number[] {
  const count = Math.min(most, weights.length)
  if (count <= 0) return []
  const keys = new Float64Array(weights.length)
  const heap: number[] = []
  for (let index = 0; index < count; index++) {
    keys[index] = exponential(random) / (weights[index] as number)
    heap.push(index)
  }
  if (count < weights.length) replaceLosers(weights, keys, heap, random)
  return heap.sort((a, b) => (keys[a] as number) - (keys[b] as number))
}

/** `heap` has the first indices, and in the end those of the smallest keys. */
function replaceLosers(weights: Float64Array, keys: Float64Array, heap: number[], random: Random): void {
  for (let place = (heap.length >> 1) - 1; place >= 0; place--) sink(heap, keys, place)
  let highest = keys[heap[0] as number] as number
  let toJump = exponential(random) / highest
  for (let index = heap.length; index < weights.length; index++) {
    const weight = weights[index] as number
    toJump -= weight
    if (toJump > 0) continue
    // Known to be below the highest: drawn from what is left of its distribution.
    keys[index] = -Math.log1p(-random() * -Math.expm1(-weight * highest)) / weight
    heap[0] = index
    sink(heap, keys, 0)
    highest = keys[heap[0] as number] as number
    toJump = exponential(random) / highest
  }
}

/** The index of the highest key comes to the top again, after the one at `place` was put there. */
function sink(heap: number[], keys: Float64Array, place: number): void {
  const sunk = heap[place] as number
  const key = keys[sunk] as number
  let at = place
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1
    const isRight = right < heap.length && keyAt(heap, keys, right) > keyAt(heap, keys, child)
    const higher = isRight ? right : child
    if (keyAt(heap, keys, higher) <= key) break
    heap[at] = heap[higher] as number
    at = higher
  }
  heap[at] = sunk
}

function keyAt(heap: readonly number[], keys: Float64Array, place: number): number {
  return keys[heap[place] as number] as number
}

/** Exponentially distributed with rate 1; never without end, since `random` is below 1. */
function exponential(random: Random): number {
  return -Math.log1p(-random())
}
