import { isPriority } from '@portolan/core'
import type { Log } from '../observe/log.ts'
import type { Slot } from './slot.ts'

/**
 * Says which instances have a priority that nobody can read. Registrations with one are refused; what was stored before
 * stays, since refusing it would lose a running instance, and is picked last.
 */
export function warnOfPriorities(slots: Iterable<Slot>, log: Log): void {
  for (const { name, record } of slots) {
    const priority = record.value?.instance.metadata.priority
    if (priority === undefined || isPriority(priority)) continue
    log.warn(
      { instance: name, priority: priority.slice(0, 40) },
      'metadata priority is no whole number from 0 to 9: the instance counts as 9, and is picked last',
    )
  }
}
