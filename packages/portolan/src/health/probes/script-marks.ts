import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import process from 'node:process'

/**
 * What the marks of all runs of one probe begin with. It names this process among all that ever ran here: its process
 * namespace, its pid and when it started.
 */
export function newMarks(): string {
  return `${namespaceId()}.${process.pid}.${startTicks(process.pid) ?? 0}.${randomUUID().slice(0, 8)}-`
}

/** Whether a mark is that of a process of this namespace which does not run any more. */
export function isOrphaned(mark: string): boolean {
  const [namespace, pid, ticks] = mark.split('.')
  if (namespace !== namespaceId() || !/^\d+$/.test(pid ?? '') || !/^\d+$/.test(ticks ?? '')) return false
  return startTicks(Number(pid)) !== Number(ticks)
}

function namespaceId(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Field 22 of proc_pid_stat(5): clock ticks from boot to its start. Undefined when there is no such process. */
function startTicks(pid: number): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name, in brackets, may hold brackets and spaces itself.
    return Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[19])
  } catch {
    return undefined
  }
}
