import { Fault } from '../fault/fault.ts'
import type { Instance } from './instance.ts'

/** What comes last. */
const lowestPriority = 9
const shape = /^[0-9]$/

/** Metadata `priority` as an instance may say it: one digit. */
export function isPriority(text: string): boolean {
  return shape.test(text)
}

/**
 * Metadata `priority`: 0 (first choice, and what an instance has that says none) to 9. What cannot be read is last: a
 * standby whose priority is misspelt must not get the traffic of the first choice.
 */
export function priorityOf({ metadata: { priority } }: Pick<Instance, 'metadata'>): number {
  if (priority === undefined) return 0
  return isPriority(priority) ? Number(priority) : lowestPriority
}

/**
 * The text if it is a priority.
 * @throws Fault `invalid_request`
 */
export function checkPriority(text: string, where = 'metadata.priority'): string {
  if (isPriority(text)) return text
  throw new Fault('invalid_request', `${where}: ${JSON.stringify(text.slice(0, 40))} is not a priority`, {
    source: 'caller',
    hint: 'a priority is a whole number from "0" (first choice, as without one) to "9" (last)',
  })
}
