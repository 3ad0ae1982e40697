import { readFileSync } from 'node:fs'

/** When a process started, in clock ticks since boot: with it a pid names one process for ever. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name comes in parentheses and may hold anything; the state follows it, the start is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie is dead, however long nobody collects it.
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** `PID-START`, in names of what must not outlive its process. */
export function ownerName(pid = process.pid): string {
  return `${pid}-${startOf(pid) ?? 0}`
}

/** Whether the process that {@link ownerName} named is still there. */
export function isAlive(owner: string): boolean {
  const [pid = '', start = ''] = owner.split('-')
  return startOf(Number(pid)) === start
}
