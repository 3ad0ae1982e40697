import { Fault } from '@portolan/core'
import type { Change, Commit, Entry } from '../store.ts'

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal

export function put(key: string, value: string): Commit & { readonly put: NonNullable<Commit['put']> } {
  return { put: [{ key, value }] }
}

export function entry(key: string, value: string, revision: number): Entry {
  return { key, value, revision }
}

/** The first `count` changes, or fewer where the watch ends before. */
export async function gather(changes: AsyncIterable<Change>, count: number): Promise<Change[]> {
  const seen: Change[] = []
  for await (const change of changes) {
    seen.push(change)
    if (seen.length === count) break
  }
  return seen
}

/** The Fault that a call rejects with; anything else is an error of its own. */
export async function faultOf(call: Promise<unknown>): Promise<Fault> {
  const answer = await call.then(
    value => ({ value }),
    (thrown: unknown) => thrown,
  )
  if (answer instanceof Fault) return answer
  throw new Error(`expected a Fault, got ${JSON.stringify(answer) ?? String(answer)}`, { cause: answer })
}
