import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Instance } from '@portolan/core'
import type { TargetGroup } from './target-groups.ts'

/** About a hundred groups: well below a millisecond of the event loop. */
const pieceLength = 64 * 1024
/** Instances that are looked at before others have their turn, where few of them are wanted. */
const mostLooks = 1000

/**
 * The JSON text of a whole answer, in pieces. Each is made in a turn of the event loop of its own, when the reader
 * wants it: a list of a hundred thousand instances neither keeps sessions waiting nor lies in memory as a whole.
 */
export async function* targetList(
  instances: Iterable<Instance>,
  groupsOf: (instance: Instance) => readonly TargetGroup[],
): AsyncGenerator<string, void, undefined> {
  let piece = '['
  let separator = ''
  let looks = 0
  for (const instance of instances) {
    for (const group of groupsOf(instance)) {
      piece += separator + JSON.stringify(group)
      separator = ','
    }
    looks++
    if (piece.length < pieceLength && looks < mostLooks) continue
    if (piece !== '') yield piece
    piece = ''
    looks = 0
    await nextTurn()
  }
  yield `${piece}]\n`
}
