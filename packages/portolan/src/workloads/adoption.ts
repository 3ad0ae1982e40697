import type { WorkloadRecord } from './ledger.ts'
import { hasEnded, type ProcessEntry, readBootId, readProcess, runningByLaunch } from './proc-table.ts'

/** The leader of a process group that an earlier supervisor started; it, or others of its group, still run. */
export interface FoundProcess {
  readonly pid: number
  readonly startTicks: number
}

/** What is to become of a recorded copy: it runs what is wanted, it runs and is not wanted, or nothing of it runs. */
export type Verdict =
  | { readonly kind: 'adopt'; readonly process: FoundProcess }
  | { readonly kind: 'end'; readonly process: FoundProcess }
  | { readonly kind: 'gone' }

/** The process table, as far as adoption asks it. */
export interface ProcessTable {
  readonly bootId: string
  /** The process that has this pid now, if it runs. */
  running(pid: number): ProcessEntry | undefined
  /** The running processes that carry a launch's mark. */
  ofLaunch(launch: string): readonly ProcessEntry[]
}

/** The table as it is now. The marks are read once. */
export function readProcessTable(): ProcessTable {
  const byLaunch = runningByLaunch()
  return {
    bootId: readBootId(),
    ofLaunch: launch => byLaunch.get(launch) ?? [],
    running(pid) {
      const entry = readProcess(pid)
      return hasEnded(entry) ? undefined : entry
    },
  }
}

/**
 * Decides over one record. A pid alone proves nothing, since pids are reused: boot, pid and start time together name
 * a process, and where they were not written down yet, the launch's mark in its environment does.
 * @param wanted the fingerprint that the copy would be started with now; undefined = it is not wanted
 */
export function judge(record: WorkloadRecord, wanted: string | undefined, table: ProcessTable): Verdict {
  if (record.bootId !== table.bootId) return { kind: 'gone' }
  const marked = table.ofLaunch(record.launch)
  const leader = record.process ?? marked.find(entry => entry.pid === entry.group)
  if (leader === undefined) return { kind: 'gone' }
  const process = { pid: leader.pid, startTicks: leader.startTicks }
  if (table.running(leader.pid)?.startTicks === leader.startTicks) {
    return wanted === record.fingerprint ? { kind: 'adopt', process } : { kind: 'end', process }
  }
  // The leader has ended, and what it started has not: the kernel does not give the number away while its group lives.
  return marked.some(entry => entry.group === leader.pid) ? { kind: 'end', process } : { kind: 'gone' }
}
